/**
 * Line protocol from bytes to columns. A line whose series prefix and field keys are known takes the fast path; any
 * other line (new keys, escapes, comments aside everything unusual, every error) is undone and parsed again by
 * `parse-line.ts`, the whole grammar. So the fast path never decides that a line is wrong, only that it is plain. With a
 * kernel, that takes the plain lines first; the results are the same.
 */
import { invalidUtf8At, utf8Boundary } from "../bytes/utf8.ts";
import { DatabaseError, isDatabaseError } from "../errors/database-error.ts";
import { BACKSLASH, COMMA, EQUALS, HASH, NEWLINE, SPACE, TAB } from "./characters.ts";
import { FIELD_KINDS, type Field, type ParseBudget } from "./field-column.ts";
import {
  COLUMN_NAME_BYTES_MAX, FIELD_KEYS_KEPT, LINE_ERRORS_MAX, PARSE_SLICE_BYTES, PARSE_SLICE_SLOW_LINES, PARSED_BYTES_KEPT, PREFIX_BYTES_KEPT, PREFIXES_KEPT, SLOW_LINE_BYTES,
} from "./limits.ts";
import type { LineError } from "./line-error.ts";
import { parseLine, type ParsedField, type ParsedLine } from "./parse-line.ts";
import { FieldKey } from "./field-key.ts";
import { RUN_DECLINED, RUN_STAGE_FULL, type LineProtocolKernel } from "./kernel.ts";
import { KernelFeed } from "./kernel-feed.ts";
import { ParsedTable } from "./parsed-table.ts";
import { ingestInstant, type Precision, toNanoseconds } from "./precision.ts";
import { PrefixTable } from "./prefix-table.ts";
import { renderLine } from "./render-line.ts";
import type { Series } from "./series.ts";
import { lineEnd } from "./split-lines.ts";
import { TimestampReader } from "./timestamp-reader.ts";
import { SLOW, ValueReader } from "./value-reader.ts";

export interface ParseOptions {
  readonly precision: Precision;
  /** The instant that lines without a timestamp get. */
  readonly nowNs: bigint;
  /** False: parsing stops at the first refused line. */
  readonly acceptPartial: boolean;
  /** The body is known to be UTF-8. */
  readonly utf8Checked?: boolean | undefined;
}

/** What a body held, by its syntax alone. Valid until the parser starts the next body. */
export interface ParsedWrite {
  readonly body: Uint8Array;
  /** Tables with at least one row, in the order of their first line. */
  readonly tables: readonly ParsedTable[];
  /** Lines that are neither blank nor comments. */
  readonly lineCount: number;
  readonly errors: readonly LineError[];
  /** Refused lines past the limit of `errors`. */
  readonly errorsOmitted: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const EMPTY = new Uint8Array(0);

export class LineProtocolParser {
  private body: Uint8Array = EMPTY;
  private view: DataView = new DataView(EMPTY.buffer);
  private at = 0;
  private end = 0;
  private precision: Precision = "auto";
  private acceptPartial = true;
  private lineNumber = 0;
  private errors: LineError[] = [];
  private errorsOmitted = 0;
  private slowLines = 0;
  private readonly values = new ValueReader();
  private readonly timestamps = new TimestampReader();
  private budget: ParseBudget = { bytes: 0 };
  private prefixes = new PrefixTable();
  private tablesByName = new Map<string, ParsedTable>();
  private activeTables: ParsedTable[] = [];
  private keyCount = 0;
  private lastPrefix = -1;
  /** Bytes from the start that are known to be UTF-8. */
  private checked = 0;
  private readonly feed: KernelFeed | undefined;
  private readonly touchTable = (table: ParsedTable): void => this.touch(table);

  /** Without a kernel everything is done here. Nothing else may use the kernel. */
  constructor(kernel?: LineProtocolKernel) {
    this.feed = kernel === undefined ? undefined : new KernelFeed(kernel);
  }

  /** Takes a body; its bytes must not change until the result is used up. Throws `line_protocol.invalid`, here or in `step`. */
  begin(body: Uint8Array, options: ParseOptions): void {
    this.reset();
    this.body = body;
    if (options.utf8Checked === true) this.checked = body.length;
    // The kernel sees for itself whether a window is ASCII.
    else if (this.feed === undefined) this.checkUtf8(body.length);
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.end = body.length;
    this.precision = options.precision;
    this.acceptPartial = options.acceptPartial;
    this.values.begin(body, this.view);
    const instant = ingestInstant(options.nowNs, options.precision);
    this.timestamps.begin(body, options.precision, instant);
    this.feed?.begin(body, options.precision, instant);
  }

  /** Makes sure that the body is UTF-8 up to `to`; what it looks at, it checks to the end. */
  private checkUtf8(to: number): void {
    if (to <= this.checked) return;
    const invalid = invalidUtf8At(this.body, this.checked);
    if (invalid >= 0) {
      throw new DatabaseError("line_protocol.invalid", {
        message: `body content is not valid utf8: invalid utf-8 sequence from index ${invalid}`,
        hint: "send line protocol as UTF-8",
      });
    }
    this.checked = this.body.length;
  }

  /** Parses about a megabyte; true when the body is done. Throws `wal.record_too_large`, `line_protocol.invalid`. */
  step(): boolean {
    try {
      return this.slice();
    } catch (error) {
      // The row under way is half written: forget all column memory with the body.
      if (!isDatabaseError(error) || error.code !== "line_protocol.invalid") this.budget.bytes = Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  private slice(): boolean {
    const stop = Math.min(this.end, this.at + PARSE_SLICE_BYTES);
    const slowStop = this.slowLines + PARSE_SLICE_SLOW_LINES;
    while (this.at < stop && this.slowLines < slowStop) {
      if (this.feed !== undefined) {
        if (this.kernelLines(this.feed)) continue;
        this.feed.take(this.prefixes.series, this.touchTable);
      }
      const byte = this.body[this.at];
      if (byte === NEWLINE || byte === SPACE || byte === TAB) this.at++;
      else if (byte === HASH) this.skipComment();
      else this.line();
    }
    if (this.at < this.end) return false;
    this.feed?.take(this.prefixes.series, this.touchTable);
    this.checkUtf8(this.end);
    return true;
  }

  /** Lets the kernel take what it can; false: the line at `at` is to be read here. */
  private kernelLines(feed: KernelFeed): boolean {
    if (!feed.holds(this.at)) {
      const stop = feed.load(this.at);
      if (stop === this.at) return false;
      if (stop > this.checked) {
        if (this.at > this.checked || !feed.isAscii()) this.checkUtf8(stop);
        else this.checked = stop;
      }
    }
    const code = feed.run(this.at, this.lineNumber);
    this.at = feed.at;
    this.lineNumber = feed.lineNumber;
    this.lastPrefix = -1;
    if (code === RUN_STAGE_FULL) feed.take(this.prefixes.series, this.touchTable);
    return code !== RUN_DECLINED;
  }

  result(): ParsedWrite {
    const tables = this.activeTables.filter((table) => table.rows > 0);
    return { body: this.body, tables, lineCount: this.lineNumber, errors: this.errors, errorsOmitted: this.errorsOmitted };
  }

  /** Forgets the body; keeps known series and keys up to their limits. */
  reset(): void {
    this.feed?.reset();
    for (const table of this.activeTables) table.reset();
    this.activeTables = [];
    const tooMuch =
      this.budget.bytes > PARSED_BYTES_KEPT || this.prefixes.count > PREFIXES_KEPT ||
      this.prefixes.arenaSize > PREFIX_BYTES_KEPT || this.keyCount > FIELD_KEYS_KEPT;
    if (tooMuch) {
      this.budget = { bytes: 0 };
      this.prefixes = new PrefixTable();
      this.tablesByName = new Map();
      this.keyCount = 0;
      this.feed?.forget();
    }
    this.body = EMPTY;
    this.checked = this.at = this.end = this.lineNumber = this.slowLines = this.errorsOmitted = 0;
    this.errors = [];
    this.lastPrefix = -1;
  }

  private skipComment(): void {
    const newline = this.body.indexOf(NEWLINE, this.at);
    this.at = newline < 0 ? this.end : newline + 1;
  }

  private line(): void {
    const start = this.at;
    const prefix = this.knownPrefix(start);
    if (prefix >= 0) {
      const table = this.prefixes.tables[prefix] as ParsedTable;
      const next = this.plainLine(start + (this.prefixes.sizes[prefix] as number) + 1, table);
      if (next !== SLOW) {
        this.lineNumber++;
        this.finishRow(table, this.prefixes.series[prefix] as Series, start);
        this.at = next;
        return;
      }
      table.undoRow();
    }
    this.slowLine(start);
  }

  private touch(table: ParsedTable): void {
    table.touched = true;
    this.activeTables.push(table);
  }

  /** Index of the known prefix that starts the line, or -1. */
  private knownPrefix(start: number): number {
    const last = this.lastPrefix;
    const { body, view, end, prefixes } = this;
    let prefix = last >= 0 ? (prefixes.next[last] as number) : -1;
    if (prefix < 0 || !prefixes.matches(prefix, body, view, start, end)) {
      let at = start;
      for (; at < end && body[at] !== SPACE; at++) {
        if (body[at] === BACKSLASH) at++;
        else if (body[at] === NEWLINE) return -1;
      }
      if (at >= end) return -1;
      prefix = prefixes.find(body, view, start, at);
      if (prefix < 0) return -1;
      if (last >= 0) prefixes.next[last] = prefix;
    }
    this.lastPrefix = prefix;
    return prefix;
  }

  /** Fields and timestamp of a plain line; the position after it, or SLOW. */
  private plainLine(start: number, table: ParsedTable): number {
    const body = this.body;
    const row = table.rows;
    if (row >= table.capacity) table.growRows();
    let at = start;
    let previous: FieldKey | undefined;
    for (;;) {
      const key = this.nextKey(table, previous, at);
      if (key === undefined || key.field.lastRow === row) return SLOW;
      key.field.lastRow = row;
      at = this.values.read(at + key.size, table, key.field);
      if (at === SLOW) return SLOW;
      previous = key;
      const byte = body[at];
      if (byte === COMMA) at++;
      else return this.timestamps.read(at, this.end);
    }
  }

  private nextKey(table: ParsedTable, previous: FieldKey | undefined, at: number): FieldKey | undefined {
    const expected = previous === undefined ? table.firstKey : previous.next;
    if (expected !== undefined && expected.matches(this.body, this.view, at)) return expected;
    const found = this.findKey(table, at);
    if (found !== undefined) {
      if (previous === undefined) table.firstKey = found;
      else previous.next = found;
    }
    return found;
  }

  private findKey(table: ParsedTable, start: number): FieldKey | undefined {
    let hash = 0;
    for (let at = start; at < this.end; at++) {
      const byte = this.body[at] as number;
      hash = hashStep(hash, byte);
      if (byte === EQUALS) {
        const size = at + 1 - start;
        return table.keys.get(hash)?.find((key) => key.size === size && key.matches(this.body, this.view, start));
      }
      if (byte <= SPACE || byte === COMMA || byte === BACKSLASH) return undefined;
    }
    return undefined;
  }

  private finishRow(table: ParsedTable, series: Series, start: number): void {
    const row = table.rows;
    if (!table.touched) this.touch(table);
    if (series.local < 0) table.activate(series);
    table.series[row] = series.local;
    table.time[row * 2] = this.timestamps.low;
    table.time[row * 2 + 1] = this.timestamps.high;
    table.lineNumbers[row] = this.lineNumber;
    table.lineStarts[row] = start;
    table.rows = row + 1;
  }

  private slowLine(start: number): void {
    const end = lineEnd(this.body, start, this.end);
    this.checkUtf8(end);
    this.at = end + 1;
    this.slowLines += Math.ceil((end - start) / SLOW_LINE_BYTES);
    this.lineNumber++;
    const line = parseLine(this.body, start, end);
    if (typeof line === "string") {
      const cut = this.body.subarray(start, Math.min(end, start + 64));
      this.refuse(line, decoder.decode(cut.subarray(0, utf8Boundary(cut, 60))));
      return;
    }
    const fault = this.faultOf(line);
    if (fault !== undefined) this.refuse(fault, renderLine(line));
    else this.accept(line, start);
  }

  private refuse(message: string, originalLine: string): void {
    if (this.errors.length < LINE_ERRORS_MAX) this.errors.push({ message, lineNumber: this.lineNumber, originalLine });
    else this.errorsOmitted++;
    if (!this.acceptPartial) this.at = this.end;
  }

  /** What the grammar does not see but no schema could mend. */
  private faultOf(line: ParsedLine): string | undefined {
    const names = new Set<string>();
    for (const { name } of line.fields) {
      if (names.has(name)) return `invalid line protocol - multiple instances of '${name}' field found`;
      names.add(name);
    }
    for (const name of [...names, ...line.tags.map(([tag]) => tag)]) {
      if (name.length > COLUMN_NAME_BYTES_MAX / 3 && encoder.encode(name).length > COLUMN_NAME_BYTES_MAX) return "String is greater than 64KB";
    }
    if (line.timestamp !== undefined) {
      const time = toNanoseconds(line.timestamp, this.precision);
      if (time === undefined) return `timestamp, ${line.timestamp}, out of range for precision: ${this.precision}`;
      this.timestamps.set(time);
    } else this.timestamps.setMissing();
    return undefined;
  }

  private accept(line: ParsedLine, start: number): void {
    let table = this.tablesByName.get(line.measurement);
    if (table === undefined) this.tablesByName.set(line.measurement, (table = new ParsedTable(line.measurement, this.budget)));
    if (table.rows >= table.capacity) table.growRows();
    const series = table.seriesOf(line.tags);
    let prefix = this.prefixes.find(this.body, this.view, start, line.seriesEnd);
    if (prefix < 0) {
      prefix = this.prefixes.add(this.body, this.view, start, line.seriesEnd, table, series);
      this.feed?.learnPrefix(table, this.body.subarray(start, line.seriesEnd), prefix);
    }
    if (this.lastPrefix >= 0) this.prefixes.next[this.lastPrefix] = prefix;
    this.lastPrefix = prefix;
    for (const parsed of line.fields) {
      const field = this.internKey(table, parsed);
      field.lastRow = table.rows;
      const kind = FIELD_KINDS.indexOf(parsed.value.kind);
      this.values.put(table, field, kind, parsed.value);
      this.feed?.learnColumn(field, kind);
    }
    this.finishRow(table, series, start);
  }

  private internKey(table: ParsedTable, parsed: ParsedField): Field {
    const field = table.field(parsed.name);
    const raw = this.body.subarray(parsed.keyStart, parsed.keyEnd);
    // An unescaped comma in a key upsets how the reference finds the line's end: such lines stay slow.
    if (raw.includes(COMMA)) return field;
    let hash = 0;
    for (const byte of raw) hash = hashStep(hash, byte);
    const keys = table.keys.get(hash) ?? [];
    if (keys.some((key) => key.size === raw.length && key.matches(this.body, this.view, parsed.keyStart))) return field;
    table.keys.set(hash, [...keys, new FieldKey(raw.slice(), field)]);
    this.keyCount++;
    this.feed?.learnKey(table, field, raw);
    return field;
  }
}

const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
