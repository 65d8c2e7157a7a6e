/** One door to the renderers. */
import { formatCsv } from "./format-csv.ts";
import { formatJson, formatJsonLines } from "./format-json.ts";
import { formatParquet } from "./format-parquet.ts";
import { formatPretty } from "./format-pretty.ts";
import type { QueryStream } from "./query-stream.ts";

export type TextFormat = "json" | "jsonl" | "csv" | "pretty";
export type ResultFormat = TextFormat | "parquet";

const TEXTS: Readonly<Record<TextFormat, (stream: QueryStream) => AsyncIterable<string>>> = { json: formatJson, jsonl: formatJsonLines, csv: formatCsv, pretty: formatPretty };

/** Pieces of the body. Ending the iteration early closes the query. */
export function formatResult(stream: QueryStream, format: TextFormat): AsyncIterable<string> {
  return TEXTS[format](stream);
}

/** The same in bytes, for every format. */
export async function* formatBytes(stream: QueryStream, format: ResultFormat): AsyncGenerator<Uint8Array> {
  if (format === "parquet") {
    yield* formatParquet(stream);
    return;
  }
  const encoder = new TextEncoder();
  for await (const piece of formatResult(stream, format)) yield encoder.encode(piece);
}
