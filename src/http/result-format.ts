/** Which format a query's answer takes, from `format` and `Accept` (spec: http-api §7). */
import type * as v from "valibot";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { TextFormat } from "../core/query/format-result.ts";
import { invalid, wordOf } from "./decode.ts";

export type NamedFormat = TextFormat | "parquet";

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  json: "application/json",
  jsonl: "application/jsonl",
  csv: "text/csv",
  pretty: "text/plain; charset=utf-8",
};

export const formatWord: v.GenericSchema<string, NamedFormat> = wordOf<NamedFormat>({
  pretty: "pretty",
  json: "json",
  jsonl: "jsonl",
  json_lines: "jsonl",
  csv: "csv",
  parquet: "parquet",
});

const BY_ACCEPT: ReadonlyMap<string, NamedFormat> = new Map([
  ["application/json", "json"],
  ["application/vnd.apache.parquet", "parquet"],
  ["text/csv", "csv"],
  ["text/plain", "pretty"],
] as const);

/** `Accept` must be readable even when `format` decides. Throws `request.invalid` and `query.not_implemented`. */
export function chooseFormat(named: NamedFormat | undefined, accept: string | null): TextFormat {
  const accepted = acceptedFormat(accept);
  return textFormat(named ?? accepted);
}

function acceptedFormat(accept: string | null): NamedFormat {
  if (accept === null || accept.includes("*/*") || accept.includes("text/html")) return "json";
  const format = BY_ACCEPT.get(accept);
  if (format === undefined) throw invalid(`invalid mime type (${accept})`, "name the format with ?format=json, jsonl, csv or pretty");
  return format;
}

/** Throws `query.not_implemented` for what no renderer makes yet. */
export function textFormat(format: NamedFormat): TextFormat {
  if (format !== "parquet") return format;
  throw new DatabaseError("query.not_implemented", {
    message: "This feature is not implemented: Parquet output",
    hint: "use the format json, jsonl, csv or pretty",
  });
}
