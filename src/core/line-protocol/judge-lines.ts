/**
 * Judges the rows of one table line by line, by parsing each line again: only tables with a refused line need it. That
 * costs up to 10 µs a line, so it comes in slices.
 */
import { assert } from "../errors/assert.ts";
import { JUDGE_SLICE_LINES, SLOW_LINE_BYTES } from "./limits.ts";
import type { LineError } from "./line-error.ts";
import { type ParsedLine, parseLine } from "./parse-line.ts";
import type { ParsedTable } from "./parsed-table.ts";
import type { ParsedWrite } from "./parser.ts";
import { renderLine } from "./render-line.ts";
import { lineEnd } from "./split-lines.ts";

export interface Verdict {
  /** One byte a row, 1: accepted. */
  readonly kept: Uint8Array;
  readonly keptRows: number;
  /** The first of them; `errorsMax` at most. */
  readonly errors: LineError[];
}

/** `judge` says why a line is refused, or nothing. Yields after each slice. */
export function* judgeLines(write: ParsedWrite, table: ParsedTable, errorsMax: number, judge: (line: ParsedLine) => string | undefined): Generator<void, Verdict> {
  const kept = new Uint8Array(table.rows);
  const errors: LineError[] = [];
  let keptRows = 0;
  let judged = 0;
  for (let row = 0; row < table.rows; row++) {
    const start = table.lineStarts[row] as number;
    const end = lineEnd(write.body, start, write.body.length);
    if (judged >= JUDGE_SLICE_LINES) {
      judged = 0;
      yield;
    }
    judged += Math.ceil((end - start) / SLOW_LINE_BYTES);
    const line = acceptedLine(write.body, start, end);
    const message = judge(line);
    if (message === undefined) {
      kept[row] = 1;
      keptRows++;
    } else if (errors.length < errorsMax) errors.push({ message, lineNumber: table.lineNumbers[row] as number, originalLine: renderLine(line) });
  }
  return { kept, keptRows, errors };
}

/** A line that the parser has taken, read again by the whole grammar. */
export function acceptedLine(body: Uint8Array, start: number, end: number = lineEnd(body, start, body.length)): ParsedLine {
  const line = parseLine(body, start, end);
  assert(typeof line !== "string", "an accepted line parses again");
  return line;
}
