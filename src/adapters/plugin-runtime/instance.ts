/**
 * One trigger's guest: its memory, what is open in it, and whether the memory may be used again. Parked between runs
 * it occupies no thread.
 */
import { assert } from "../../core/errors/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { Invocation, PluginHost, PluginInstance, RunOptions, RunOutcome } from "../../ports/plugin-runtime.ts";
import type { ExecutorPool } from "./executor-pool.ts";
import type { DoneMessage, GuestAnswer } from "./executor-protocol.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestRun, type RunConclusion } from "./guest-run.ts";
import { FilePacker, guestContext, packEvent } from "./invocation-message.ts";
import { RESET_GROWTH_BYTES_MAX } from "./limits.ts";
import { type MemoryImage, createGuestMemory } from "./memory-image.ts";
import { judge } from "./outcome.ts";
import type { StopGraces } from "./stop-ladder.ts";
import type { SavedDescriptor } from "./wasi/descriptor-table.ts";

export interface StartedRuntime {
  readonly pool: ExecutorPool;
  readonly image: MemoryImage;
  /** The guest finds its way in a memory that is larger than the image: no reset needs a new memory. */
  readonly reusesGrownMemory: boolean;
}

export interface InstanceParts {
  readonly label: string;
  /** Asked when a memory is made; throws when there is no room for one. */
  memoryBytesMax(image: MemoryImage): number;
  /** Starts the runtime when it has not started yet. */
  start(): Promise<StartedRuntime>;
  /** A number no other guest memory has. */
  nextKey(): number;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly graces: StopGraces;
  /** Whether a terminated thread has really ended, so that its guest's memory may be used again. */
  readonly terminationEndsThread: boolean;
  onDone(message: DoneMessage): void;
  onClose(): void;
}

interface Life {
  readonly key: number;
  readonly memory: GuestMemory;
  reset: "none" | "fresh" | "used";
}

export class GuestInstance implements PluginInstance {
  readonly #parts: InstanceParts;
  readonly #packer = new FilePacker();
  #pool: ExecutorPool | undefined;
  #life: Life | undefined;
  #descriptors: readonly SavedDescriptor[] = [];
  #cacheKeys = 0;
  /** The last result, whose memory the guest may have back. */
  #read: GuestAnswer | undefined;
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
    return this.#memoryBytes;
  }

  release(): void {
    if (this.#busy || this.#cacheKeys > 0 || this.#hasModules || this.#descriptors.length > 0) return;
    this.#read = undefined;
    this.#memoryBytes = 0;
    this.#dropMemory();
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
    const { pool, image } = runtime;
    this.#pool = pool;
    await this.#threadEnded;
    if (options.signal?.aborted === true || this.#closed) return { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0 };
    const life = this.#alive(image);
    const { clock, log, graces, label } = this.#parts;
    const onAbort = (): void => this.#run?.stop("cancelled");
    const conclusion = await new Promise<RunConclusion>((resolve) => {
      const run = new GuestRun(
        {
          pool, clock, log, graces, host, label,
          wallTimeMsMax: options.wallTimeMsMax,
          memory: life.memory,
          message: {
            type: "run",
            key: life.key,
            memory: life.memory.memory,
            reset: life.reset,
            descriptors: this.#descriptors,
            context: guestContext(invocation),
            event: packEvent(invocation),
            files: this.#packer.pack(invocation.code),
            read: this.#read,
            cacheUpdates: sharedBytes(invocation.cacheUpdates),
          },
        },
        resolve,
      );
      this.#run = run;
      options.signal?.addEventListener("abort", onAbort);
      pool.submit(run);
    });
    options.signal?.removeEventListener("abort", onAbort);
    return this.#settle(conclusion, runtime);
  }

  /** The memory for the next run: as it is, to be restored, or a new one. */
  #alive(image: MemoryImage): Life {
    if (this.#life === undefined) {
      const memory = new GuestMemory(createGuestMemory(image, this.#parts.memoryBytesMax(image)));
      this.#life = { key: this.#parts.nextKey(), memory, reset: "fresh" };
    }
    return this.#life;
  }

  #settle(conclusion: RunConclusion, runtime: StartedRuntime): RunOutcome {
    this.#memoryBytes = this.#life?.memory.byteLength ?? 0;
    switch (conclusion.kind) {
      case "withdrawn":
        return { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0 };
      case "terminated": {
        const { stopReason, ended } = conclusion;
        const { terminationEndsThread } = this.#parts;
        if (terminationEndsThread) this.#threadEnded = ended;
        // Where a runtime cannot stop a thread, it may go on writing to its memory.
        return { kind: "stopped", reason: stopReason, level: "terminated", cacheKeysLost: this.#lose(runtime, !terminationEndsThread) };
      }
      case "lost":
        return { kind: "failed", message: conclusion.reason, cacheKeysLost: this.#lose(runtime, true) };
      case "done": {
        const { message: done, result, fault, stopReason } = conclusion;
        const verdict = judge({ done, result, fault, stopReason, cacheKeysBefore: this.#cacheKeys });
        this.#descriptors = done.descriptors;
        this.#cacheKeys = done.cacheKeys ?? this.#cacheKeys;
        this.#read = done.answer;
        if (this.#life !== undefined) this.#life.reset = "none";
        if (verdict.reset) this.#lose(runtime, false);
        this.#parts.onDone(done);
        return done.cacheChanges === undefined ? verdict.outcome : { ...verdict.outcome, cacheChanges: new Uint8Array(done.cacheChanges) };
      }
    }
  }

  /**
   * A dropped memory is freed only when the engine collects garbage, which nothing hurries: it is kept where the guest
   * can use it again, so that a plugin which eats its memory in every run costs its limit once.
   * Has the memory restored, or replaced, before the next run; returns the number of cache keys that are gone. */
  #lose({ image, reusesGrownMemory }: StartedRuntime, replace: boolean): number {
    const lost = this.#cacheKeys;
    this.#cacheKeys = 0;
    this.#read = undefined;
    this.#descriptors = [];
    if (this.#life !== undefined) {
      const grown = this.#life.memory.byteLength - image.memoryBytes;
      if (replace || (grown > RESET_GROWTH_BYTES_MAX && !reusesGrownMemory)) this.#dropMemory();
      else this.#life.reset = "used";
    }
    return lost;
  }

  #dropMemory(): void {
    if (this.#life !== undefined) this.#pool?.forget(this.#life.key);
    this.#life = undefined;
  }
}

function sharedBytes(bytes: Uint8Array | undefined): SharedArrayBuffer | undefined {
  if (bytes === undefined) return undefined;
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}
