/** JSON and JSON lines: NULL members are left out, numbers keep 64 bits, no blanks (spec: query §1). */
import { jsonWriter, type JsonWriter } from "./format-value.ts";
import type { QueryStream, ResultBatch } from "./query-stream.ts";

type RowWriter = (batch: ResultBatch, row: number) => string;

function rowWriter(stream: QueryStream): RowWriter {
  const writers = stream.columns.map((column): readonly [string, JsonWriter] => [`${JSON.stringify(column.name)}:`, jsonWriter(column.sqlType)]);
  return (batch, row) => {
    let text = "{";
    for (let index = 0; index < writers.length; index++) {
      const value = batch.columns[index]?.[row] ?? null;
      if (value === null) continue;
      const [key, write] = writers[index] as readonly [string, JsonWriter];
      text += (text.length > 1 ? "," : "") + key + write(value);
    }
    return `${text}}`;
  };
}

/** `[{…},{…}]`, a piece per batch. */
export async function* formatJson(stream: QueryStream): AsyncGenerator<string> {
  const write = rowWriter(stream);
  let separator = "[";
  for await (const batch of stream.batches) {
    let text = "";
    for (let row = 0; row < batch.rowCount; row++) {
      text += separator + write(batch, row);
      separator = ",";
    }
    if (text !== "") yield text;
  }
  yield separator === "[" ? "[]" : "]";
}

/** One object a line; an empty result is an empty body. */
export async function* formatJsonLines(stream: QueryStream): AsyncGenerator<string> {
  const write = rowWriter(stream);
  for await (const batch of stream.batches) {
    let text = "";
    for (let row = 0; row < batch.rowCount; row++) text += `${write(batch, row)}\n`;
    if (text !== "") yield text;
  }
}
