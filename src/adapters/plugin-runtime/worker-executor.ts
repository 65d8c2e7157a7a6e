/**
 * An executor on a thread: its worker, its control block and which guests it has adopted. Guest memories are shared with the
 * main thread, so the executor keeps nothing that another one could miss.
 */
import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/errors/database-error.ts";
import { createControlBlock } from "./control-block.ts";
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import { assert } from "../../core/errors/assert.ts";
import type { InstanceSettings } from "./contract.ts";
import type { BootEvents, Executor, ExecutorClient, ExecutorEvents, ImageEvents } from "./executor.ts";
import type { ExecutorData, FromExecutor, RunMessage, ToExecutor } from "./executor-protocol.ts";
import type { GuestLife } from "./guest-life.ts";
import { ADOPTED_GUESTS_MAX, MAKING_MEMORY_BYTES_MAX } from "./limits.ts";
import { HostMailbox } from "./mailbox.ts";
import { createGuestMemory, type MemoryImage } from "./memory-image.ts";

/** Python recursion needs C stack; Node's default of 4 MB is what the recursion limits were tried with. */
const STACK_SIZE_MB = 4;

export class WorkerExecutor implements Executor {
  readonly mailbox: HostMailbox;
  readonly #worker: Worker;
  readonly #events: ExecutorEvents & Partial<BootEvents & ImageEvents>;
  readonly #image: MemoryImage | undefined;
  /** Keys the thread holds, least recently used first. */
  readonly #adopted = new Set<number>();
  #client: ExecutorClient | undefined;
  #gone = false;

  constructor(entry: URL, data: Omit<ExecutorData, "control">, events: ExecutorEvents & Partial<BootEvents & ImageEvents>) {
    const control = createControlBlock();
    this.mailbox = new HostMailbox(control);
    this.#events = events;
    this.#image = data.image;
    const workerData: ExecutorData = { ...data, control: control.buffer };
    this.#worker = new Worker(entry, { workerData, resourceLimits: { stackSizeMb: STACK_SIZE_MB } });
    this.#worker.on("message", (message: FromExecutor) => this.#onMessage(message));
    this.#worker.on("error", (error) => this.#lose(messageOf(error)));
    this.#worker.on("exit", (code) => this.#lose(`the executor thread ended with code ${code}`));
  }

  /** From now on the client hears of requests and of the end. */
  serve(client: ExecutorClient | undefined): void {
    this.#client = client;
  }

  boot(memory: WebAssembly.Memory): void {
    this.#send({ type: "boot", memory });
  }

  /** `onWarm` of the events tells the end. */
  warm(memory: WebAssembly.Memory): void {
    this.#send({ type: "warm", memory });
  }

  makeImage(id: number, imports: readonly ImportStatement[]): void {
    assert(this.#image !== undefined, "packages are imported into a booted interpreter");
    this.#send({ type: "make-image", id, imports, memory: createGuestMemory(this.#image, MAKING_MEMORY_BYTES_MAX) });
  }

  /** The memory is left out when the thread has it already. */
  run(message: RunMessage, { key, memory, reset, image }: GuestLife): void {
    const known = this.#adopted.has(key) && reset === "none";
    this.#send({ ...message, reset, memory: known ? undefined : memory?.wasm, ...(reset === "none" ? {} : this.#named(image)) });
    this.#hold(key);
  }

  prepare(settings: InstanceSettings, { key, memory, reset, image }: GuestLife): void {
    if (memory === undefined) return this.#client?.onPrepared?.(false);
    this.#send({ type: "prepare", key, settings, memory: memory.wasm, used: reset === "used", ...this.#named(image) });
    this.#hold(key);
  }

  #named(image: MemoryImage): { readonly image?: MemoryImage } {
    return image.id === this.#image?.id ? {} : { image };
  }

  /** The most recently used of those that it holds; too old ones go. */
  #hold(key: number): void {
    this.#adopted.delete(key);
    this.#adopted.add(key);
    const surplus = [...this.#adopted].slice(0, Math.max(0, this.#adopted.size - ADOPTED_GUESTS_MAX));
    if (surplus.length > 0) this.forget(surplus);
  }

  /** The thread drops its adoption of these guests, so that their memory can be freed. */
  forget(keys: readonly number[]): void {
    const held = keys.filter((key) => this.#adopted.delete(key));
    if (held.length > 0) this.#send({ type: "forget", keys: held });
  }

  /** The adoption is void already (the guest was left by a throw). */
  disown(key: number): void {
    this.#adopted.delete(key);
  }

  holds(key: number): boolean {
    return this.#adopted.has(key);
  }

  retire(): Promise<unknown> {
    return this.terminate();
  }

  /**
   * Ends the thread; the client hears nothing more. Where the runtime cannot stop a spinning thread (Deno, Bun) it is
   * let go all the same.
   */
  terminate(): Promise<unknown> {
    this.#gone = true;
    this.#client = undefined;
    return Promise.resolve(this.#worker.terminate()).catch(() => undefined);
  }

  /** Whether an open thread keeps the process alive. */
  hold(held: boolean): void {
    if (held) this.#worker.ref();
    else this.#worker.unref();
  }

  #send(message: ToExecutor): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #onMessage(message: FromExecutor): void {
    if (this.#gone) return;
    switch (message.type) {
      case "ring":
        return this.#client === undefined ? this.#answerNobody() : this.#client.onRing();
      case "done":
        return this.#client?.onDone(message);
      case "prepared":
        return this.#client?.onPrepared?.(message.ready);
      case "warmed":
        return this.#events.onWarm?.();
      case "ready":
        return this.#events.onReady();
      case "image":
        return this.#events.onImage?.(message.made);
      case "booted":
        return this.#events.onBooted?.(message.image);
      case "boot-failed":
        return this.#events.onBootFailed?.(message.message);
    }
  }

  /** Requests while no run is under way come from booting; they need no answer but one. */
  #answerNobody(): void {
    if (this.mailbox.take() !== undefined) this.mailbox.reply(0);
  }

  #lose(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    const client = this.#client;
    this.#client = undefined;
    this.#events.onLost(reason);
    client?.onLost(reason);
  }
}
