/** An ASCII grid, no newline at the end (spec: query §1). The whole result is needed for the widths, so its size is bounded. */
import { DatabaseError } from "../errors/database-error.ts";
import { formatCell } from "./format-value.ts";
import type { QueryStream } from "./query-stream.ts";

/** Cells that are buffered: about 100 MB of short texts. */
export const PRETTY_CELLS_MAX = 2_000_000;

const width = (text: string): number => Math.max(...text.split("\n").map((line) => [...line].length));

/** Throws `query.failed` when the result is too large to lay out. */
export async function* formatPretty(stream: QueryStream): AsyncGenerator<string> {
  const rows: string[][] = [];
  let batches = 0;
  for await (const batch of stream.batches) {
    batches++;
    if ((rows.length + batch.rowCount) * stream.columns.length > PRETTY_CELLS_MAX) {
      throw new DatabaseError("query.failed", { message: `Result has more than ${PRETTY_CELLS_MAX} cells, too many for a grid`, hint: "add a LIMIT, or ask for jsonl or csv" });
    }
    for (let row = 0; row < batch.rowCount; row++) {
      rows.push(stream.columns.map((column, index) => {
        const value = batch.columns[index]?.[row] ?? null;
        return value === null ? "" : formatCell(value, column.sqlType);
      }));
    }
  }
  if (batches === 0) {
    yield "++\n++";
    return;
  }
  const names = stream.columns.map((column) => column.name);
  const widths = names.map((name, index) => rows.reduce((most, row) => Math.max(most, width(row[index] as string)), width(name)));
  const rule = `+${widths.map((size) => "-".repeat(size + 2)).join("+")}+`;
  const line = (cells: readonly string[]): string => gridLine(cells, widths);
  yield `${rule}\n${line(names)}\n${rule}\n`;
  yield `${rows.map((row) => `${line(row)}\n`).join("")}${rule}`;
}

/** A cell with line breaks takes several lines of the grid. */
function gridLine(cells: readonly string[], widths: readonly number[]): string {
  const split = cells.map((cell) => cell.split("\n"));
  const height = Math.max(1, ...split.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) =>
    `|${split.map((lines, index) => {
      const text = lines[at] ?? "";
      return ` ${text}${" ".repeat(Math.max(0, (widths[index] as number) - [...text].length))} `;
    }).join("|")}|`,
  ).join("\n");
}
