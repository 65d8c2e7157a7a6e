/** Timestamps of plain lines: digits to 64 bits in two words, without BigInt. Batches repeat a timestamp line after line. */
import { MINUS, NEWLINE, SPACE } from "./characters.ts";
import type { Precision } from "./precision.ts";
import { SLOW } from "./value-reader.ts";

/** Seconds from here on overflow 64 bits of nanoseconds; the exact limit is left to the slow path. */
const SECONDS_MAX = 9_223_372_036;
const TWO_32 = 4_294_967_296;
const words = new Int32Array(2);
const wide = new BigInt64Array(words.buffer);

export class TimestampReader {
  low = 0;
  high = 0;
  private body: Uint8Array = new Uint8Array(0);
  private precision: Precision = "auto";
  private missingLow = 0;
  private missingHigh = 0;
  private lastStart = -1;
  private lastSize = 0;
  private lastLow = 0;
  private lastHigh = 0;

  begin(body: Uint8Array, precision: Precision, instant: bigint): void {
    this.body = body;
    this.precision = precision;
    this.set(instant);
    this.missingLow = this.low;
    this.missingHigh = this.high;
    this.lastStart = -1;
  }

  set(timeNs: bigint): void {
    wide[0] = timeNs;
    this.low = words[0] as number;
    this.high = words[1] as number;
  }

  setMissing(): void {
    this.low = this.missingLow;
    this.high = this.missingHigh;
  }

  /** Reads what follows the fields at `at`; the position after the line, or SLOW. */
  read(start: number, end: number): number {
    const body = this.body;
    let at = start;
    if (at >= end || body[at] === NEWLINE) {
      this.setMissing();
      return at + 1;
    }
    if (body[at] !== SPACE) return SLOW;
    while (body[at] === SPACE) at++;
    at = this.repeats(at) ? at + this.lastSize : this.digits(at);
    if (at === SLOW) return SLOW;
    this.low = this.lastLow;
    this.high = this.lastHigh;
    while (body[at] === SPACE) at++;
    return at >= end || body[at] === NEWLINE ? at + 1 : SLOW;
  }

  /** True when the last timestamp's digits, and no further one, stand at `at`. */
  private repeats(at: number): boolean {
    if (this.lastStart < 0) return false;
    const body = this.body;
    for (let index = 0; index < this.lastSize; index++) if (body[at + index] !== body[this.lastStart + index]) return false;
    const after = body[at + this.lastSize];
    return after === undefined || after === NEWLINE || after === SPACE;
  }

  private digits(start: number): number {
    const body = this.body;
    const negative = body[start] === MINUS;
    const first = negative ? start + 1 : start;
    let at = first;
    while (body[at] !== undefined && (body[at] as number) - 48 >= 0 && (body[at] as number) - 48 <= 9) at++;
    const count = at - first;
    if (count === 0 || count > 19) return SLOW;
    const cut = count > 9 ? at - 9 : first;
    let head = 0;
    let tail = 0;
    for (let index = first; index < cut; index++) head = head * 10 + (body[index] as number) - 48;
    for (let index = cut; index < at; index++) tail = tail * 10 + (body[index] as number) - 48;
    if (!this.convert(head, tail, negative)) return SLOW;
    this.lastStart = start;
    this.lastSize = at - start;
    return at;
  }

  /** The number is `head * 10^9 + tail` units of the precision. False when it may not fit. */
  private convert(head: number, tail: number, negative: boolean): boolean {
    let seconds = head;
    let nanos = tail;
    const unit = this.precision === "auto" ? guess(head) : this.precision;
    if (unit === "second") {
      seconds = head * 1e9 + tail;
      nanos = 0;
    } else if (unit === "millisecond") {
      seconds = head * 1e6 + Math.floor(tail / 1e3);
      nanos = (tail % 1e3) * 1e6;
    } else if (unit === "microsecond") {
      seconds = head * 1e3 + Math.floor(tail / 1e6);
      nanos = (tail % 1e6) * 1e3;
    }
    if (seconds >= SECONDS_MAX) return false;
    // seconds * 10^9 + nanos in two 32-bit words: split the seconds so that every product stays exact.
    const low16 = seconds & 65_535;
    const high = (seconds - low16) / 65_536;
    const product = high * 1e9;
    const carry = product % 65_536;
    const sum = low16 * 1e9 + nanos + carry * 65_536;
    let low = sum | 0;
    let top = ((product - carry) / 65_536 + Math.floor(sum / TWO_32)) | 0;
    if (negative) {
      low = (~low + 1) | 0;
      top = (~top + (low === 0 ? 1 : 0)) | 0;
    }
    this.lastLow = low;
    this.lastHigh = top;
    return true;
  }
}

/** As `guessPrecision`, from the magnitude divided by 10^9. */
function guess(head: number): Precision {
  if (head < 5) return "second";
  if (head < 5_000) return "millisecond";
  return head < 5_000_000 ? "microsecond" : "nanosecond";
}
