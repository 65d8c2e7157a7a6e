/**
 * Feeds a body to the kernel window by window and takes the rows that it has collected into the parsed tables. Which lines
 * the kernel may take, it learns here from lines that the parser has read by the whole grammar.
 */
import { NEWLINE } from "./characters.ts";
import type { Field, FieldColumn } from "./field-column.ts";
import {
  COLUMN, KERNEL_SCRATCH_BYTES, KERNEL_WINDOW_BYTES, KERNEL_WINDOW_ZEROS, type LineProtocolKernel, REPORT, TABLE,
} from "./kernel.ts";
import { unescapeStored } from "./parse-line.ts";
import type { ParsedTable } from "./parsed-table.ts";
import type { Precision } from "./precision.ts";
import type { Series } from "./series.ts";

/** In the kernel's order. */
const PRECISIONS: readonly Precision[] = ["auto", "second", "millisecond", "microsecond", "nanosecond"];
const POSITION_BITS = 0x7fff_ffff;
/** Up to here a loop over values beats a view and a copy. */
const FEW_ROWS = 8;

export class KernelFeed {
  /** Where the last run stopped, and the number of its last line. */
  at = 0;
  lineNumber = 0;
  private readonly kernel: LineProtocolKernel;
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly window: number;
  private readonly scratch: number;
  private readonly report: number;
  private body: Uint8Array = new Uint8Array(0);
  private start = 0;
  private size = 0;
  private tables: ParsedTable[] = [];
  private columns: FieldColumn[] = [];

  constructor(kernel: LineProtocolKernel) {
    this.kernel = kernel;
    this.bytes = new Uint8Array(kernel.memory);
    this.words = new Int32Array(kernel.memory);
    this.window = kernel.windowAddress();
    this.scratch = kernel.scratchAddress();
    this.report = kernel.reportAddress() >> 2;
    kernel.forget();
  }

  begin(body: Uint8Array, precision: Precision, missingTimeNs: bigint): void {
    this.body = body;
    this.start = this.size = 0;
    this.kernel.begin(PRECISIONS.indexOf(precision), missingTimeNs);
  }

  /** Drops rows that nobody took, and the body. */
  reset(): void {
    this.clear();
    this.body = new Uint8Array(0);
    this.start = this.size = 0;
  }

  forget(): void {
    this.kernel.forget();
    this.tables = [];
    this.columns = [];
  }

  /** True when the window holds the line at `at`. */
  holds(at: number): boolean {
    return at >= this.start && at < this.start + this.size;
  }

  /** Puts whole lines from `at` on into the window; the position after them, or `at` when the first one is too long. */
  load(at: number): number {
    const body = this.body;
    let stop = Math.min(body.length, at + KERNEL_WINDOW_BYTES - 1);
    if (stop < body.length) stop = Math.max(at, body.lastIndexOf(NEWLINE, stop - 1) + 1);
    const size = stop - at;
    this.bytes.set(body.subarray(at, stop), this.window);
    const end = this.window + size;
    this.bytes[end] = NEWLINE;
    this.bytes.fill(0, end + 1, end + KERNEL_WINDOW_ZEROS);
    this.start = at;
    this.size = size;
    return stop;
  }

  isAscii(): boolean {
    return this.kernel.isAscii(this.size) !== 0;
  }

  /** Parses from `at`, in the window, as far as the kernel can; a `RUN_…` code. */
  run(at: number, lineNumber: number): number {
    const code = this.kernel.run(at - this.start, this.size, this.start, lineNumber);
    this.at = this.start + (this.words[this.report + REPORT.position] as number);
    this.lineNumber = this.words[this.report + REPORT.lineNumber] as number;
    return code;
  }

  /** Moves the collected rows to their tables; `series` by prefix. `touch` is called for a table's first rows of the body. */
  take(series: readonly Series[], touch: (table: ParsedTable) => void): void {
    const words = this.words;
    const first = words[this.report + REPORT.firstTable] as number;
    if (first === 0) return;
    for (let address = first; address !== 0; address = words[(address >> 2) + TABLE.next] as number) {
      const table = this.tables[words[(address >> 2) + TABLE.host] as number] as ParsedTable;
      if (!table.touched) touch(table);
      this.takeTable(table, address >> 2, series);
    }
    this.clear();
  }

  private clear(): void {
    this.kernel.clear();
    this.words[this.report + REPORT.firstTable] = 0;
  }

  private takeTable(table: ParsedTable, at: number, series: readonly Series[]): void {
    const words = this.words;
    const rows = words[at + TABLE.rows] as number;
    const before = table.rows;
    while (table.capacity < before + rows) table.growRows();
    for (let address = words[at + TABLE.firstColumn] as number; address !== 0; address = words[(address >> 2) + COLUMN.next] as number) {
      this.takeColumn(table, address, rows);
    }
    copyWords(table.time, before * 2, words, at + TABLE.time, rows * 2);
    copyWords(table.lineNumbers, before, words, at + TABLE.lineNumbers, rows);
    copyWords(table.lineStarts, before, words, at + TABLE.lineStarts, rows);
    const prefixes = words.subarray(at + TABLE.prefixes, at + TABLE.prefixes + rows);
    for (let row = 0; (row = numberRows(prefixes, series, row, before, table.series)) < rows; ) {
      table.rows = before + row;
      table.activate(series[prefixes[row] as number] as Series);
    }
    table.rows = before + rows;
  }

  private takeColumn(table: ParsedTable, address: number, rows: number): void {
    const { words, bytes } = this;
    const at = address >> 2;
    const before = table.rows;
    const count = words[at + COLUMN.count] as number;
    const column = this.columns[words[at + COLUMN.host] as number] as FieldColumn;
    if (!column.active) {
      column.active = true;
      column.firstRow = before + (words[at + COLUMN.firstRow] as number);
      table.activeColumns.push(column);
    }
    if (before + rows > column.capacity) column.grow(before + rows - 1);
    const valid = address + COLUMN.valid * 4;
    if (count === rows) column.valid.fill(1, before, before + rows);
    else column.valid.set(bytes.subarray(valid, valid + rows), before);
    column.count += count;
    const data = at + COLUMN.data;
    if (column.kind === "utf8") this.takeTexts(column, before, rows, valid, data);
    else if (column.kind === "bool") for (let row = 0; row < rows; row++) column.flags[before + row] = words[data + row * 2] as number;
    else copyWords(column.words, before * 2, words, data, rows * 2);
  }

  /** The stage holds where each text stands in the body. */
  private takeTexts(column: FieldColumn, before: number, rows: number, valid: number, data: number): void {
    const { words, bytes, body } = this;
    for (let row = 0; row < rows; row++) {
      if (bytes[valid + row] === 0) continue;
      const start = words[data + row * 2] as number;
      const mark = words[data + row * 2 + 1] as number;
      const end = mark & POSITION_BITS;
      if (mark >= 0) column.putText(before + row, body, start, end);
      else {
        const text = unescapeStored(body, start, end);
        column.putText(before + row, text, 0, text.length);
      }
    }
  }

  /** Makes a series prefix known that the table `table` has. */
  learnPrefix(table: ParsedTable, prefix: Uint8Array, index: number): void {
    if (prefix.length > KERNEL_SCRATCH_BYTES || !this.learnTable(table)) return;
    this.bytes.set(prefix, this.scratch);
    this.kernel.addPrefix(prefix.length, table.address, index);
  }

  private learnTable(table: ParsedTable): boolean {
    if (table.address !== 0) return true;
    table.address = this.kernel.addTable(this.tables.length);
    if (table.address !== 0) this.tables.push(table);
    return table.address !== 0;
  }

  private learnField(field: Field): boolean {
    if (field.address === 0) field.address = this.kernel.addField();
    return field.address !== 0;
  }

  learnKey(table: ParsedTable, field: Field, raw: Uint8Array): void {
    if (raw.length > KERNEL_SCRATCH_BYTES || !this.learnTable(table) || !this.learnField(field)) return;
    this.bytes.set(raw, this.scratch);
    this.kernel.addKey(table.address, field.address, raw.length);
  }

  learnColumn(field: Field, kind: number): void {
    const column = field.columns[kind];
    if (column === undefined || column.address !== 0 || !this.learnField(field)) return;
    column.address = this.kernel.addColumn(field.address, kind, this.columns.length);
    if (column.address !== 0) this.columns.push(column);
  }
}

/** Numbers of the rows' series, from a row on; the first row whose series has no number yet, or how many rows there are. */
function numberRows(prefixes: Int32Array, series: readonly Series[], from: number, before: number, numbers: Uint32Array): number {
  for (let row = from; row < prefixes.length; row++) {
    const { local } = series[prefixes[row] as number] as Series;
    if (local < 0) return row;
    numbers[before + row] = local;
  }
  return prefixes.length;
}

function copyWords(target: Int32Array | Uint32Array, to: number, words: Int32Array, from: number, count: number): void {
  if (count > FEW_ROWS) target.set(words.subarray(from, from + count), to);
  else for (let index = 0; index < count; index++) target[to + index] = words[from + index] as number;
}
