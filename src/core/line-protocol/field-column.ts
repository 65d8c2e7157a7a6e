/**
 * Values of one field and type while a request is parsed: typed arrays by row, zero where a row has none. Memory is
 * counted before it grows, so a hostile body meets a limit and not the end of the heap.
 */
import type { ColumnValues } from "../columns/table-batch.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { PARSED_BYTES_MAX } from "./limits.ts";

export const FIELD_KINDS = ["float64", "int64", "uint64", "bool", "utf8"] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** Column memory of one request. */
export interface ParseBudget {
  bytes: number;
}

const ROWS_FIRST = 64;
const BYTES_PER_VALUE: Readonly<Record<FieldKind, number>> = { float64: 8, int64: 8, uint64: 8, bool: 1, utf8: 4 };

/** Counts `bytes` more, or throws `wal.record_too_large`. */
export function spend(budget: ParseBudget, bytes: number): void {
  if (budget.bytes + bytes > PARSED_BYTES_MAX) {
    throw new DatabaseError("wal.record_too_large", {
      message: `The write needs more than ${PARSED_BYTES_MAX} bytes as columns`,
      hint: "send fewer lines per request, or fewer different fields per table",
    });
  }
  budget.bytes += bytes;
}

/** One field by its unescaped name; a request may use it with several types (then some lines are refused later). */
export class Field {
  readonly name: string;
  /** By kind, in the order of `FIELD_KINDS`. */
  readonly columns: (FieldColumn | undefined)[] = [undefined, undefined, undefined, undefined, undefined];
  /** Row that last got a value: a second one in the same row is an error. */
  lastRow = -1;
  /** Place in the kernel's memory; 0: it knows none. */
  address = 0;

  constructor(name: string) {
    this.name = name;
  }
}

export class FieldColumn {
  readonly field: Field;
  readonly kind: FieldKind;
  /** Place in the kernel's memory; 0: it knows none. */
  address = 0;
  /** Row of the first value in this request. */
  firstRow = 0;
  active = false;
  count = 0;
  capacity = 0;
  valid = new Uint8Array(0);
  float64 = new Float64Array(0);
  /** The same memory as `float64`: two words a value. */
  words = new Int32Array(0);
  flags = new Uint8Array(0);
  offsets = new Uint32Array(0);
  text = new Uint8Array(0);
  textSize = 0;
  /** Rows whose offsets are set. */
  private filled = 0;
  private readonly budget: ParseBudget;

  constructor(field: Field, kind: FieldKind, budget: ParseBudget) {
    this.field = field;
    this.kind = kind;
    this.budget = budget;
  }

  /** Makes room for `row`. */
  grow(row: number): void {
    const capacity = Math.max(ROWS_FIRST, row + 1, this.capacity * 2);
    spend(this.budget, (capacity - this.capacity) * (BYTES_PER_VALUE[this.kind] + 1));
    this.valid = copyInto(new Uint8Array(capacity), this.valid);
    if (this.kind === "bool") this.flags = copyInto(new Uint8Array(capacity), this.flags);
    else if (this.kind === "utf8") this.offsets = copyInto(new Uint32Array(capacity + 1), this.offsets);
    else {
      this.float64 = copyInto(new Float64Array(capacity), this.float64);
      this.words = new Int32Array(this.float64.buffer);
    }
    this.capacity = capacity;
  }

  /** Appends the text of `row`; rows come in ascending order. */
  putText(row: number, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.textSize + size > this.text.length) this.growText(size);
    while (this.filled < row) this.offsets[++this.filled] = this.textSize;
    const text = this.text;
    if (size < 64) {
      for (let from = start, to = this.textSize; from < end; from++, to++) text[to] = bytes[from] as number;
    } else text.set(bytes.subarray(start, end), this.textSize);
    this.textSize += size;
    this.filled = row + 1;
    this.offsets[this.filled] = this.textSize;
  }

  private growText(size: number): void {
    const capacity = Math.max(1024, this.textSize + size, this.text.length * 2);
    spend(this.budget, capacity - this.text.length);
    this.text = copyInto(new Uint8Array(capacity), this.text.subarray(0, this.textSize));
  }

  /** Takes back the value of `row`, the last one. */
  undo(row: number): void {
    if (row >= this.capacity || this.valid[row] !== 1) return;
    this.valid[row] = 0;
    this.count--;
    if (this.kind === "utf8") {
      this.textSize = this.offsets[row] as number;
      this.filled = row;
    } else if (this.kind === "bool") this.flags[row] = 0;
    else this.float64[row] = 0;
  }

  /** Ready for the next request; `rows` is how many the table had. */
  reset(rows: number): void {
    const used = Math.min(rows, this.capacity);
    this.valid.fill(0, 0, used);
    if (this.kind === "bool") this.flags.fill(0, 0, used);
    else if (this.kind !== "utf8") this.float64.fill(0, 0, used);
    this.textSize = 0;
    this.filled = 0;
    this.count = 0;
    this.active = false;
    this.field.lastRow = -1;
  }

  /** The values of `rows` rows as a column of a table batch; shares this column's memory. */
  values(rows: number): ColumnValues {
    if (this.capacity < rows) this.grow(rows - 1);
    const base = { name: this.field.name, valid: this.count === rows ? undefined : this.valid };
    switch (this.kind) {
      case "float64":
        return { ...base, type: "float64", values: this.float64 };
      case "int64":
        return { ...base, type: "int64", values: new BigInt64Array(this.float64.buffer) };
      case "uint64":
        return { ...base, type: "uint64", values: new BigUint64Array(this.float64.buffer) };
      case "bool":
        return { ...base, type: "bool", values: this.flags };
      case "utf8":
        while (this.filled < rows) this.offsets[++this.filled] = this.textSize;
        return { ...base, type: "utf8", offsets: this.offsets, bytes: this.text };
    }
  }
}

function copyInto<T extends Uint8Array | Uint32Array | Float64Array>(target: T, source: T): T {
  target.set(source as never);
  return target;
}
