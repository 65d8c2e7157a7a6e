/**
 * An executor in a child process, for runtimes that cannot stop a thread (Deno, Bun) and for `--plugin-isolation process`. It
 * keeps at most one guest, the one that it runs or ran last, so that killing it loses that guest and no other: before
 * another one runs there, the guest's memory is parked here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { messageOf } from "../../core/errors/database-error.ts";
import type { InstanceSettings } from "./contract.ts";
import type { ReplyKind, StopLevel } from "./control-block.ts";
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import type { Executor, ExecutorClient, ExecutorEvents, HostLink, ImageEvents } from "./executor.ts";
import type { ExecutorData, RunMessage } from "./executor-protocol.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { type GuestHolder, type GuestLife, loseLife } from "./guest-life.ts";
import { EXECUTOR_PROCESS_NICENESS, PROCESS_IMAGES_MAX } from "./limits.ts";
import type { Request } from "./mailbox.ts";
import { openMessage } from "./message-memory.ts";
import type { MemoryImage } from "./memory-image.ts";
import { isParkedMemory } from "./parked-memory.ts";
import { type FromProcess, fromProcess, packImage, type RequestMessage, type ToProcess, unpackImage } from "./process-protocol.ts";

/** How an executor process is started; the entry is `executor-process.js`. */
export interface ProcessCommand {
  readonly file: string;
  readonly arguments: readonly string[];
}

export interface ProcessExecutorParts {
  readonly command: ProcessCommand;
  /** The interpreter's bytes: a compiled module cannot cross processes. */
  readonly moduleBytes: Uint8Array<ArrayBuffer>;
  readonly data: Pick<ExecutorData, "stdlib" | "clockResolutionNs" | "packages"> & { readonly image: MemoryImage };
  readonly events: ExecutorEvents & Partial<ImageEvents>;
}

export class ProcessExecutor implements Executor, HostLink, GuestHolder {
  readonly mailbox: HostLink = this;
  readonly #child: ChildProcess;
  readonly #events: ExecutorEvents & Partial<ImageEvents>;
  readonly #bareId: number;
  /** Images that the process has beside the interpreter's own, least recently used first. */
  readonly #images = new Set<number>();
  readonly #reader = new FrameReader();
  readonly #exited: Promise<void>;
  #client: ExecutorClient | undefined;
  #life: GuestLife | undefined;
  /** Counts runs and ends: a start that waited for a move checks that it is still wanted. */
  #turn = 0;
  #request: RequestMessage | undefined;
  #open = false;
  #parking: { readonly done: Promise<void>; readonly resolve: () => void } | undefined;
  #gone = false;

  constructor({ command, moduleBytes, data, events }: ProcessExecutorParts) {
    this.#events = events;
    // No variable of the server reaches a process that runs plugins.
    this.#child = spawn(command.file, command.arguments, { stdio: ["pipe", "pipe", "ignore"], env: {} });
    this.#child.once("spawn", () => this.#yieldToServer());
    this.#exited = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.once("exit", (code, signal) => this.#lose(`the executor process ended with ${signal ?? `code ${code}`}`));
    this.#child.once("error", (error) => this.#lose(messageOf(error)));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdout?.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    this.#bareId = data.image.id;
    this.#send({
      type: "start",
      module: moduleBytes,
      stdlib: data.stdlib,
      image: packImage(data.image),
      clockResolutionNs: data.clockResolutionNs,
      ...(data.packages === undefined ? {} : { packages: data.packages }),
    });
  }

  /** Writes and queries come first where the processors do not suffice for all. */
  #yieldToServer(): void {
    try {
      if (this.#child.pid !== undefined) setPriority(this.#child.pid, EXECUTOR_PROCESS_NICENESS);
    } catch {
      // Not every system lets a process do that; nothing depends on it.
    }
  }

  serve(client: ExecutorClient | undefined): void {
    this.#client = client;
  }

  run(message: RunMessage, life: GuestLife): void {
    void this.#start(message, life);
  }

  prepare(settings: InstanceSettings, life: GuestLife): void {
    const { key, memoryBytesMax, image } = life;
    void this.#take(life).then((taken) => {
      if (!taken) return;
      this.#keep(image);
      this.#send({ type: "prepare", key, settings, memoryBytesMax, imageId: image.id });
    });
  }

  async #start(message: RunMessage, life: GuestLife): Promise<void> {
    if (!(await this.#take(life))) return;
    const { reset, parked, memoryBytesMax, image } = life;
    this.#keep(image);
    life.parked = undefined;
    this.#send({ type: "run", run: message, memoryBytesMax, reset, imageId: image.id, ...(reset !== "none" || parked === undefined ? {} : { parked }) });
  }

  makeImage(id: number, imports: readonly ImportStatement[]): void {
    this.#send({ type: "make-image", id, imports });
  }

  /** The process has it from now on; the one that was used longest ago goes. */
  #keep(image: MemoryImage): void {
    if (image.id === this.#bareId) return;
    const known = this.#images.delete(image.id);
    this.#images.add(image.id);
    if (!known) this.#send({ type: "keep-image", image: packImage(image) });
    const [oldest] = this.#images;
    if (this.#images.size <= PROCESS_IMAGES_MAX || oldest === undefined) return;
    this.#images.delete(oldest);
    this.#send({ type: "drop-image", id: oldest });
  }

  /** Makes room for a guest; false: it is not wanted any more. */
  async #take(life: GuestLife): Promise<boolean> {
    this.#turn += 1;
    const turn = this.#turn;
    if (this.#life !== life) await this.park();
    if (life.holder !== this) await life.holder?.park();
    if (turn !== this.#turn || this.#gone) return false;
    this.#life = life;
    life.holder = this;
    return true;
  }

  forget(keys: readonly number[]): void {
    if (this.#life === undefined || !keys.includes(this.#life.key)) return;
    this.#life.holder = undefined;
    this.#life = undefined;
    this.#send({ type: "forget" });
  }

  /** What was left by a throw is restored by the next run. */
  disown(): void {}

  holds(key: number): boolean {
    return this.#life?.key === key;
  }

  /** Also when the process dies meanwhile: then the guest is lost. */
  park(): Promise<void> {
    if (this.#life === undefined || this.#gone) return Promise.resolve();
    if (this.#parking === undefined) {
      let resolve: () => void = () => undefined;
      const done = new Promise<void>((settle) => (resolve = settle));
      this.#parking = { done, resolve };
      this.#send({ type: "park" });
    }
    return this.#parking.done;
  }

  hold(held: boolean): void {
    if (held) this.#child.ref();
    else this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) {
      const socket = stream as { ref?(): void; unref?(): void } | null;
      if (held) socket?.ref?.();
      else socket?.unref?.();
    }
  }

  async retire(): Promise<unknown> {
    await this.park();
    return this.terminate();
  }

  terminate(): Promise<unknown> {
    this.#turn += 1;
    this.#gone = true;
    this.#client = undefined;
    this.#dropGuest();
    // Whoever waits for its end must live to see it.
    this.#child.ref();
    this.#child.kill("SIGKILL");
    return this.#exited;
  }

  // ---- HostLink ----

  setStop(level: StopLevel): void {
    this.#send({ type: "stop", level });
  }

  take(): Request | undefined {
    const request = this.#request;
    if (request === undefined) return undefined;
    this.#request = undefined;
    this.#open = true;
    const { operation, slots, payload, memory } = request;
    return { operation, slots, payload, ...(memory === undefined ? {} : { memory: openMessage(memory) }) };
  }

  reply(kind: ReplyKind, bytes?: Uint8Array): void {
    if (!this.#open) return;
    this.#open = false;
    this.#send({ type: "reply", kind, ...(bytes === undefined ? {} : { bytes }) });
  }

  /** The process fills the guest's memory itself. */
  takeBulk(): Uint8Array {
    return new Uint8Array(0);
  }

  #send(message: ToProcess): void {
    if (this.#gone && message.type !== "start") return;
    for (const part of encodeFrame(message)) this.#child.stdin?.write(part);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#gone) return;
    try {
      for (const value of this.#reader.push(chunk)) this.#handle(fromProcess(value));
    } catch (error) {
      this.#child.kill("SIGKILL");
      this.#lose(messageOf(error));
    }
  }

  #handle(message: FromProcess): void {
    switch (message.type) {
      case "ready":
        return this.#events.onReady();
      case "image":
        return this.#events.onImage?.("image" in message.made ? { ...message.made, image: unpackImage(message.made.image) } : message.made);
      case "request":
        this.#request = message;
        return this.#client?.onRing();
      case "done": {
        const { result, ...done } = message;
        return this.#client?.onDone(result === undefined ? done : { ...done, resultMemory: openMessage(result) });
      }
      case "prepared":
        return this.#client?.onPrepared?.(message.ready);
      case "parked": {
        const life = this.#life;
        this.#life = undefined;
        if (life !== undefined) {
          life.holder = undefined;
          if (message.parked !== undefined && isParkedMemory(message.parked, life.memoryBytesMax)) life.parked = message.parked;
          else if (life.reset === "none") loseLife(life);
        }
        return this.#parked();
      }
    }
  }

  #parked(): void {
    const parking = this.#parking;
    this.#parking = undefined;
    parking?.resolve();
  }

  #dropGuest(): void {
    if (this.#life !== undefined) loseLife(this.#life);
    this.#life = undefined;
    this.#parked();
  }

  #lose(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    const client = this.#client;
    this.#client = undefined;
    this.#dropGuest();
    this.#events.onLost(reason);
    client?.onLost(reason);
  }
}
