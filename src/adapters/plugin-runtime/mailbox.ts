/**
 * Both ends of a control block. The executor's end blocks its thread until the main thread answers; the main thread's
 * end never waits: it takes a request when the doorbell (a message of the worker) rings and answers whenever it can.
 * A reply larger than the block is written straight into the guest's memory, which stands still meanwhile.
 */
import { assert } from "../../core/errors/assert.ts";
import type { HostLink } from "./executor.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { type ControlBlock, type ReplyKind, STOP, type StopLevel, WORD } from "./control-block.ts";

/** Ends a guest's run from inside: thrown out of whatever it called. */
export class HardStop extends Error {
  constructor() {
    super("The run was stopped");
    this.name = "HardStop";
  }
}

export interface Request {
  readonly operation: number;
  readonly slots: readonly number[];
  /** Copied. */
  readonly payload: Uint8Array;
  /** Where the slots' addresses lie, when that is not the guest's own memory. */
  readonly memory?: GuestMemory;
}

export interface Reply {
  readonly kind: ReplyKind;
  readonly byteLength: number;
}

/** What a guest needs of whoever serves it. */
export interface GuestLink {
  /** Whether the guest should raise its interruption; throws `HardStop`. */
  poll(): boolean;
  /** Throws `HardStop` when the run is to be left at once. */
  checkHardStop(): void;
  /** Asks and blocks until there is an answer. */
  call(operation: number, slots: readonly number[], payload?: Uint8Array): Reply;
  /** The inline payload of the last reply. */
  payload(byteLength: number): Uint8Array<ArrayBuffer>;
}

/** The executor's end. */
export class GuestMailbox implements GuestLink {
  readonly #block: ControlBlock;
  readonly #ring: () => void;
  /** Called before each request but output: sends off what was printed before it. */
  beforeRequest: () => void = () => undefined;
  /** True once this run has seen the request to stop. */
  stopSeen = false;

  constructor(block: ControlBlock, ring: () => void) {
    this.#block = block;
    this.#ring = ring;
  }

  checkHardStop(): void {
    if (Atomics.load(this.#block.words, WORD.stop) === STOP.hard) throw new HardStop();
  }

  poll(): boolean {
    const level = Atomics.load(this.#block.words, WORD.stop);
    if (level === STOP.none) return false;
    this.stopSeen = true;
    if (level === STOP.hard) throw new HardStop();
    return true;
  }

  /** The payloads of request and reply lie in the block. */
  call(operation: number, slots: readonly number[], payload?: Uint8Array): Reply {
    this.beforeRequest();
    return this.callNow(operation, slots, payload);
  }

  callNow(operation: number, slots: readonly number[], payload?: Uint8Array): Reply {
    const { words } = this.#block;
    const before = Atomics.load(words, WORD.reply);
    words[WORD.operation] = operation;
    words[WORD.payloadBytes] = payload?.length ?? 0;
    this.#block.slots.set(slots);
    if (payload !== undefined) this.#block.payload.set(payload);
    Atomics.add(words, WORD.request, 1);
    this.#ring();
    while (Atomics.load(words, WORD.reply) === before) Atomics.wait(words, WORD.reply, before);
    return { kind: words[WORD.replyKind] as ReplyKind, byteLength: words[WORD.payloadBytes] as number };
  }

  /** Blocks for a short while, less when the run is being stopped. */
  pause(durationMs: number): void {
    Atomics.wait(this.#block.words, WORD.stop, STOP.none, durationMs);
  }

  payload(byteLength: number): Uint8Array<ArrayBuffer> {
    return this.#block.payload.slice(0, byteLength) as Uint8Array<ArrayBuffer>;
  }
}

/** The main thread's end. */
export class HostMailbox implements HostLink {
  readonly #block: ControlBlock;
  #taken = 0;
  #open = false;
  #bulk: Uint8Array | undefined;

  constructor(block: ControlBlock) {
    this.#block = block;
  }

  /** True while a request was taken and not answered. */
  get open(): boolean {
    return this.#open;
  }

  setStop(level: StopLevel): void {
    Atomics.store(this.#block.words, WORD.stop, level);
    Atomics.notify(this.#block.words, WORD.stop);
  }

  /** The next request, at most once; undefined when there is none (a bell may ring twice). */
  take(): Request | undefined {
    const { words, slots, payload } = this.#block;
    const count = Atomics.load(words, WORD.request);
    if (count === this.#taken || this.#open) return undefined;
    this.#taken = count;
    this.#open = true;
    const byteLength = Math.min(Math.max(0, words[WORD.payloadBytes] as number), payload.length);
    return { operation: words[WORD.operation] as number, slots: Array.from(slots), payload: payload.slice(0, byteLength) };
  }

  reply(kind: ReplyKind, bytes?: Uint8Array): void {
    assert(this.#open, "a reply answers an open request");
    const { words, payload } = this.#block;
    this.#open = false;
    this.#bulk = undefined;
    if (bytes !== undefined && bytes.length > payload.length) this.#bulk = bytes;
    else if (bytes !== undefined) payload.set(bytes);
    words[WORD.replyKind] = kind;
    words[WORD.payloadBytes] = bytes?.length ?? 0;
    Atomics.add(words, WORD.reply, 1);
    Atomics.notify(words, WORD.reply);
  }

  /** The bytes of the last reply that did not fit; once. */
  takeBulk(): Uint8Array {
    const bulk = this.#bulk ?? new Uint8Array(0);
    this.#bulk = undefined;
    return bulk;
  }
}
