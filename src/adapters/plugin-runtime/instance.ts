/**
 * One trigger's guest: its memory, what is open in it, and whether the memory may be used again. Parked between runs
 * it occupies no thread.
 */
import { sharedCopy } from "./shared-copy.ts";
import { assert } from "../../core/errors/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { InstanceLimits, Invocation, PluginHost, PluginInstance, RunOptions, RunOutcome } from "../../ports/plugin-runtime.ts";
import type { BulkBuffers } from "./bulk-buffers.ts";
import type { Executor, ExecutorEvents, ImageEvents } from "./executor.ts";
import type { ExecutorPool } from "./executor-pool.ts";
import type { DoneMessage, GuestAnswer, RunMessage } from "./executor-protocol.ts";
import type { GuestLife } from "./guest-life.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestRun, type RunConclusion } from "./guest-run.ts";
import { FilePacker, guestContext, packEvent } from "./invocation-message.ts";
import type { InstanceSettings } from "./contract.ts";
import { CACHE_BYTES_DEFAULT, RESET_GROWTH_BYTES_MAX, RESPONSE_BODY_BYTES_DEFAULT, RUN_WRITE_BYTES_MAX, SCRATCH_ENTRIES_MAX } from "./limits.ts";
import { type MemoryImage, createGuestMemory, growToImage } from "./memory-image.ts";
import { judge } from "./outcome.ts";
import type { PackageImages, Wanted } from "./package-images.ts";
import type { StopGraces } from "./stop-ladder.ts";
import { Successor } from "./successor.ts";
import type { SavedScratch } from "./wasi/scratch.ts";
import type { SavedDescriptor } from "./wasi/descriptor-table.ts";

export interface StartedRuntime {
  readonly pool: ExecutorPool;
  readonly image: MemoryImage;
  /** Beside the pool. */
  readonly startExecutor: (events: ExecutorEvents & Partial<ImageEvents>) => Executor;
  /** The guest finds its way in a memory that is larger than the image: no reset needs a new memory. */
  readonly reusesGrownMemory: boolean;
  /** Undefined where events are sent, not shared. */
  readonly bulkBuffers: BulkBuffers | undefined;
}

export interface InstanceParts {
  readonly label: string;
  readonly limits: InstanceLimits;
  /** Asked when a memory is made; throws when there is no room for one. */
  memoryBytesMax(image: MemoryImage): number;
  /** With packages that the plugin imports; undefined: the bare interpreter's. */
  readonly packageImages: Pick<PackageImages, "imageFor" | "imageNow">;
  /** Starts the runtime when it has not started yet. */
  start(): Promise<StartedRuntime>;
  /** A number no other guest memory has. */
  nextKey(): number;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly graces: StopGraces;
  /** Whether a terminated thread has really ended, so that its guest's memory may be used again. */
  readonly terminationEndsThread: boolean;
  /** Guests live in executor processes; their memory is not here. */
  readonly inProcesses: boolean;
  onDone(message: DoneMessage): void;
  /** An executor had to be ended to end a run. */
  onTerminated(): void;
  onClose(): void;
  /** So many bytes wait for the garbage collector. */
  onReleased(bytes: number): void;
}

export class GuestInstance implements PluginInstance {
  readonly #parts: InstanceParts;
  readonly #settings: InstanceSettings;
  readonly #packer = new FilePacker();
  #pool: ExecutorPool | undefined;
  #life: GuestLife | undefined;
  #descriptors: readonly SavedDescriptor[] = [];
  #scratch: SavedScratch | undefined;
  #cacheKeys = 0;
  /** The last result, whose memory the guest may have back. */
  #read: GuestAnswer | undefined;
  /** Takes over when the run under way has to be ended by force. */
  #successor: Successor | undefined;
  /** Has taken over, and may not be quite ready. */
  #coming: Successor | undefined;
  /** The memory of a guest that was succeeded: for the next successor, so that such ends in a row cost two memories and no more. */
  #spare: GuestLife["memory"];
  #memoryBytes = 0;
  /** The plugin is a folder, whose module state lives in the memory. */
  #hasModules = false;
  #busy = false;
  #run: GuestRun | undefined;
  #whenIdle: Promise<unknown> = Promise.resolve();
  #closed = false;
  #threadEnded: Promise<unknown> = Promise.resolve();

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const { limits } = parts;
    this.#settings = {
      environment: (limits.environment ?? []).map(([name, value]) => ({ name, value })),
      writeBytes: limits.writeBytesMax ?? RUN_WRITE_BYTES_MAX,
      responseBytes: limits.responseBytesMax ?? RESPONSE_BODY_BYTES_DEFAULT,
      cacheBytes: limits.cacheBytesMax ?? CACHE_BYTES_DEFAULT,
    };
  }

  run(invocation: Invocation, host: PluginHost, options: RunOptions): Promise<RunOutcome> {
    assert(!this.#busy, "an instance runs one call at a time");
    assert(!this.#closed, "a closed instance is not run");
    this.#busy = true;
    const outcome = this.#execute(invocation, host, options).finally(() => {
      this.#busy = false;
      this.#run = undefined;
    });
    this.#whenIdle = outcome.catch(() => undefined);
    return outcome;
  }

  memoryBytes(): number {
    return this.#memoryBytes + (this.#spare?.access.byteLength ?? 0);
  }

  /** What it has made its own: pages of the image that were not touched cost nothing. */
  ownBytes(): number {
    const image = this.#life?.image;
    const bytes = this.memoryBytes();
    return image === undefined || bytes === 0 ? 0 : image.data.byteLength + Math.max(0, bytes - image.memoryBytes);
  }

  release(): void {
    if (this.#busy || this.#cacheKeys > 0 || this.#hasModules || this.#descriptors.length > 0) return;
    const bytes = this.memoryBytes();
    this.#read = undefined;
    this.#memoryBytes = 0;
    this.#dropMemory();
    if (bytes > 0) this.#parts.onReleased(bytes);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#run?.stop("cancelled");
    await this.#whenIdle;
    this.#dropMemory();
    this.#parts.onClose();
  }

  async #execute(invocation: Invocation, host: PluginHost, options: RunOptions): Promise<RunOutcome> {
    this.#hasModules = invocation.code.source === undefined;
    const runtime = await this.#parts.start();
    const { pool, image, bulkBuffers } = runtime;
    this.#pool = pool;
    await this.#threadEnded;
    await this.#coming?.settled;
    if (options.signal?.aborted === true || this.#closed) return { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0 };
    const life = await this.#alive(invocation, image);
    const event = packEvent(invocation, bulkBuffers);
    const { clock, log, graces, label } = this.#parts;
    const onAbort = (): void => this.#run?.stop("cancelled");
    const conclusion = await new Promise<RunConclusion>((resolve) => {
      const run = new GuestRun(
        {
          pool, clock, log, graces, host, label,
          wallTimeMsMax: options.wallTimeMsMax,
          life,
          owner: label,
          onForeseen: () => this.#foresee(runtime),
          message: {
            type: "run",
            key: life.key,
            settings: this.#settings,
            descriptors: this.#descriptors,
            scratch: this.#scratchOf(),
            context: guestContext(invocation),
            event,
            files: this.#packer.pack(invocation.code),
            shown: invocation.shown ?? [],
            read: this.#read,
            cacheUpdates: invocation.cacheUpdates && sharedCopy(invocation.cacheUpdates),
          },
        },
        resolve,
      );
      this.#run = run;
      options.signal?.addEventListener("abort", onAbort);
      pool.submit(run);
    });
    options.signal?.removeEventListener("abort", onAbort);
    // Any other end may leave an executor reading.
    if (conclusion.kind === "done" && event.kind !== "schedule") bulkBuffers?.giveBack(event.bulk);
    try {
      return this.#settle(conclusion, runtime);
    } finally {
      this.#successor?.drop();
      this.#successor = undefined;
    }
  }

  #foresee({ pool, image: bare }: StartedRuntime): void {
    const { label, memoryBytesMax, clock } = this.#parts;
    const wanted = this.#life?.image ?? bare;
    const image = growToImage(this.#spare?.wasm, wanted) ? wanted : bare;
    try {
      const life = this.#newLife(memoryBytesMax(image), image, this.#spare);
      this.#spare = undefined;
      this.#successor = new Successor({ pool, clock, life, settings: this.#settings, owner: label });
    } catch {
      // No room for a second memory: the one that there is will be restored.
      return;
    }
    pool.submit(this.#successor);
  }

  /** The memory for the next run: as it is, to be restored, or a new one. */
  async #alive({ code }: Invocation, bare: MemoryImage): Promise<GuestLife> {
    const { packageImages, limits } = this.#parts;
    const wanted: Wanted = { code, environment: this.#settings.environment.map(({ name }) => name), memoryBytesMax: limits.memoryBytesMax };
    this.#life ??= this.#coming?.take();
    this.#coming = undefined;
    if (this.#life === undefined) {
      const image = (await packageImages.imageFor(wanted)) ?? bare;
      this.#life = this.#newLife(this.#parts.memoryBytesMax(image), image);
    } else if (this.#life.reset !== "none") {
      const image = packageImages.imageNow(wanted) ?? bare;
      this.#life.image = growToImage(this.#life.memory?.wasm, image) ? image : bare;
    }
    return this.#life;
  }

  #newLife(memoryBytesMax: number, image: MemoryImage, spare?: GuestLife["memory"]): GuestLife {
    const wasm = this.#parts.inProcesses || spare !== undefined ? undefined : createGuestMemory(image, memoryBytesMax);
    const memory = wasm === undefined ? spare : { wasm, access: new GuestMemory(wasm) };
    return { key: this.#parts.nextKey(), memoryBytesMax, memory, image, parked: undefined, holder: undefined, reset: spare === undefined ? "fresh" : "used", lost: false };
  }

  #settle(conclusion: RunConclusion, runtime: StartedRuntime): RunOutcome {
    this.#memoryBytes = this.#life?.memory?.access.byteLength ?? (conclusion.kind === "done" ? this.#claimed(conclusion.message) : 0);
    switch (conclusion.kind) {
      case "withdrawn":
        return { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0 };
      case "terminated": {
        const { stopReason, ended } = conclusion;
        const { terminationEndsThread, inProcesses } = this.#parts;
        // The thread may go on for a moment; its guest's memory is nobody else's until then.
        if (terminationEndsThread) this.#threadEnded = ended;
        this.#parts.onTerminated();
        // Where a runtime cannot stop a thread, it may go on writing to its memory; a process takes the memory with it.
        const replace = !terminationEndsThread || inProcesses;
        return { kind: "stopped", reason: stopReason, level: "terminated", cacheKeysLost: this.#lose(runtime, replace) };
      }
      case "lost":
        return { kind: "failed", message: conclusion.reason, cacheKeysLost: this.#lose(runtime, true) };
      case "done": {
        const { message: done, result, fault, stopReason } = conclusion;
        const cacheKeysBefore = this.#cacheKeys;
        const verdict = judge({ done, result, fault, stopReason, cacheKeysBefore });
        this.#descriptors = done.descriptors;
        this.#keepScratch(done);
        this.#cacheKeys = done.cacheKeys ?? this.#cacheKeys;
        this.#read = done.answer;
        if (this.#life !== undefined) {
          if (this.#life.lost) this.#tellLost(cacheKeysBefore);
          this.#life.lost = false;
          this.#life.reset = "none";
        }
        if (verdict.reset) this.#lose(runtime, false);
        this.#parts.onDone(done);
        return done.cacheChanges === undefined ? verdict.outcome : { ...verdict.outcome, cacheChanges: new Uint8Array(done.cacheChanges) };
      }
    }
  }

  /** A process may say anything. */
  #claimed({ memoryBytes = 0 }: DoneMessage): number {
    return Math.min(memoryBytes, this.#life?.memoryBytesMax ?? 0);
  }

  /**
   * Has the memory restored, or replaced, before the next run; returns the number of cache keys that are gone. A dropped
   * memory is freed only when the engine collects garbage, which nothing hurries here: it is kept where the guest can use it
   * again, so that a plugin which eats its memory in every run costs its limit once.
   */
  #lose({ image, reusesGrownMemory }: StartedRuntime, replace: boolean): number {
    const lost = this.#cacheKeys;
    this.#cacheKeys = 0;
    this.#read = undefined;
    this.#descriptors = [];
    const life = this.#life;
    if (this.#succeed(replace)) return lost;
    if (life !== undefined) {
      const grown = (life.memory?.access.byteLength ?? image.memoryBytes) - image.memoryBytes;
      if (replace || (grown > RESET_GROWTH_BYTES_MAX && !reusesGrownMemory)) this.#dropMemory();
      else life.reset = "used";
    }
    return lost;
  }

  /** Goes on with the successor, when there is one. `replace`: the memory that there was may not be used again. */
  #succeed(replace: boolean): boolean {
    const next = this.#successor;
    if (next?.isComing !== true) return false;
    this.#successor = undefined;
    const before = this.#life;
    if (before !== undefined) this.#pool?.forget(before.key);
    this.#life = undefined;
    this.#coming = next;
    const ended = this.#threadEnded;
    this.#threadEnded = Promise.resolve();
    if (!replace) void ended.then(() => void (this.#spare = this.#closed ? undefined : before?.memory));
    return true;
  }

  #scratchOf(): RunMessage["scratch"] {
    const bytesMax = this.#parts.limits.scratchBytesMax ?? 0;
    return bytesMax === 0 ? undefined : { bytesMax, saved: this.#scratch };
  }

  /** A process may send anything: what is too large is as if it had not been written. */
  #keepScratch({ scratch }: DoneMessage): void {
    if (scratch === undefined) return;
    const bytes = scratch.entries.reduce((sum, { buffer }) => sum + (buffer?.byteLength ?? 0), 0);
    if (bytes <= (this.#parts.limits.scratchBytesMax ?? 0) && scratch.entries.length <= SCRATCH_ENTRIES_MAX) this.#scratch = scratch;
  }

  /** Nobody's run ended with it, so no outcome tells. */
  #tellLost(keys: number): void {
    const { log, label } = this.#parts;
    log.log("warn", `The executor process that kept the plugin of '${label}' ended: its private cache lost ${keys} keys`, { instance: label });
  }

  #dropMemory(): void {
    if (this.#life !== undefined) this.#pool?.forget(this.#life.key);
    this.#life = undefined;
    this.#coming?.drop();
    this.#coming = undefined;
    this.#spare = undefined;
  }
}
