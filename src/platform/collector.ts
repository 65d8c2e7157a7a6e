/**
 * Settings of V8's garbage collector for a heap that is small beside the memory it looks after. The buffer's batches lie
 * outside the heap but count for its growth, so V8 would collect 20 MB of objects after every 15 MB of rows.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../ports/clock.ts";

/** The heap may come to four times what the last collection left: the most that V8 itself would ever choose. */
const GROWTH = "--heap-growing-percent=300";
/** Helpers that mark such a heap meanwhile mostly wait for each other. */
const MARKING = "--no-concurrent-marking";
const LIMIT_BYTES_MIN = 1_100_000_000;

/** Call it before anything else is done; for Node only. Where memory is short V8's own choices take 100 MB less. */
export function tuneCollector(memoryLimitBytes: number): void {
  if (memoryLimitBytes < LIMIT_BYTES_MIN) return;
  setFlagsFromString(MARKING);
  setFlagsFromString(GROWTH);
}

/** Less is left to the collector's own time. */
const RELEASED_BYTES_MIN = 64 * 1024 * 1024;
/** What is released together is collected together. */
const TOGETHER_MS = 1_000;
/** A collection holds the main thread for 20 to 30 ms. */
const COLLECTION_INTERVAL_MS = 60_000;

/**
 * Memories of idle plugins lie outside the heap, and an idle server gives the collector no reason to look: 100 of them
 * stayed for minutes in one run of two. Once the bytes that were noted are many, it collects.
 */
export class ReleasedMemory {
  readonly #clock: Clock;
  readonly #collect: () => void;
  #released = 0;
  #notBeforeMs: number;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock, collect: () => void = fullCollection) {
    this.#clock = clock;
    this.#collect = collect;
    this.#notBeforeMs = clock.monotonicMs();
  }

  note(bytes: number): void {
    this.#released += bytes;
    if (this.#closed || this.#cancel !== undefined || this.#released < RELEASED_BYTES_MIN) return;
    this.#cancel = this.#clock.after(Math.max(TOGETHER_MS, this.#notBeforeMs - this.#clock.monotonicMs()), () => {
      this.#cancel = undefined;
      this.#released = 0;
      this.#notBeforeMs = this.#clock.monotonicMs() + COLLECTION_INTERVAL_MS;
      this.#collect();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }
}

function fullCollection(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
