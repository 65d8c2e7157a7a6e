/** One door to the renderers. Parquet is not among them: the HTTP edge refuses it. */
import { formatCsv } from "./format-csv.ts";
import { formatJson, formatJsonLines } from "./format-json.ts";
import { formatPretty } from "./format-pretty.ts";
import type { QueryStream } from "./query-stream.ts";

export type TextFormat = "json" | "jsonl" | "csv" | "pretty";

const FORMATS: Readonly<Record<TextFormat, (stream: QueryStream) => AsyncIterable<string>>> = {
  json: formatJson,
  jsonl: formatJsonLines,
  csv: formatCsv,
  pretty: formatPretty,
};

/** Pieces of the body. Ending the iteration early closes the query. */
export function formatResult(stream: QueryStream, format: TextFormat): AsyncIterable<string> {
  return FORMATS[format](stream);
}
