/** Printed lines on their way to the main thread: joined by newlines, which no line holds. */
import { encodeText } from "./guest-memory.ts";
import { OUTPUT_PARCEL_BYTES_MAX, OUTPUT_PARCEL_MS_MAX } from "./limits.ts";

/** Collects lines on the executor; a line is far smaller than the control block's payload. */
export class OutputParcel {
  readonly #deliver: (lines: Uint8Array) => void;
  #lines: string[] = [];
  #size = 0;
  #sinceMs = 0;

  constructor(deliver: (lines: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  add(line: string): void {
    // Three bytes are the most that one UTF-16 unit becomes.
    const size = line.length * 3 + 1;
    if (this.#size + size > OUTPUT_PARCEL_BYTES_MAX) this.send();
    if (this.#lines.length === 0) this.#sinceMs = performance.now();
    this.#lines.push(line);
    this.#size += size;
    if (performance.now() - this.#sinceMs > OUTPUT_PARCEL_MS_MAX) this.send();
  }

  send(): void {
    if (this.#lines.length === 0) return;
    const lines = encodeText(this.#lines.join("\n"));
    this.#lines = [];
    this.#size = 0;
    this.#deliver(lines);
  }
}

/** The lines of a parcel. */
export function openParcel(lines: Uint8Array): string[] {
  return new TextDecoder().decode(lines).split("\n");
}
