/**
 * Turns what a guest prints into lines of bounded length. A line that is too long is cut and its rest dropped; past
 * the budget of a run everything is dropped after one line that says so.
 */
import { CUT_MARK, OUTPUT_BYTES_PER_RUN_MAX, OUTPUT_LINE_BYTES_MAX, OUTPUT_LINE_COST_BYTES_MIN } from "../limits.ts";

const NEWLINE = 10;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class LineSink {
  readonly #emit: (line: string) => void;
  readonly #line = new Uint8Array(OUTPUT_LINE_BYTES_MAX);
  #length = 0;
  #cut = false;
  #left = OUTPUT_BYTES_PER_RUN_MAX;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  write(bytes: Uint8Array): void {
    let start = 0;
    // Past the budget nothing is looked at: millions of empty lines would keep the thread from hearing a stop.
    while (start < bytes.length && this.#left > 0) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      this.#append(bytes.subarray(start, end));
      if (newline < 0) return;
      this.#finish();
      start = end + 1;
    }
  }

  /** Emits an unfinished line and starts a new budget: the end of a run. */
  flush(): void {
    if (this.#length > 0) this.#finish();
    this.#left = OUTPUT_BYTES_PER_RUN_MAX;
  }

  #append(part: Uint8Array): void {
    const room = OUTPUT_LINE_BYTES_MAX - this.#length;
    if (part.length > room) this.#cut = true;
    this.#line.set(part.subarray(0, room), this.#length);
    this.#length += Math.min(part.length, room);
  }

  #finish(): void {
    const text = decoder.decode(this.#line.slice(0, this.#length)) + (this.#cut ? CUT_MARK : "");
    const cost = Math.max(this.#length, OUTPUT_LINE_COST_BYTES_MIN);
    this.#length = 0;
    this.#cut = false;
    if (this.#left <= 0) return;
    this.#left -= cost;
    this.#emit(this.#left > 0 ? text : `(output beyond ${OUTPUT_BYTES_PER_RUN_MAX} bytes is dropped)`);
  }
}
