/** CSV: header once, NULL is an empty cell, quotes only where needed (spec: query §1). */
import { formatCell } from "./format-value.ts";
import type { QueryStream, ResultValue } from "./query-stream.ts";

const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** No batch, no header: the body stays empty. */
export async function* formatCsv(stream: QueryStream): AsyncGenerator<string> {
  const types = stream.columns.map((column) => column.sqlType);
  let text = `${stream.columns.map((column) => quote(column.name)).join(",")}\n`;
  for await (const batch of stream.batches) {
    for (let row = 0; row < batch.rowCount; row++) {
      const cells = types.map((type, index) => {
        const value: ResultValue = batch.columns[index]?.[row] ?? null;
        return value === null ? "" : quote(formatCell(value, type));
      });
      // A single empty cell would be an empty line, which readers skip.
      text += `${cells.length === 1 && cells[0] === "" ? '""' : cells.join(",")}\n`;
    }
    yield text;
    text = "";
  }
}
