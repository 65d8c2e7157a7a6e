/** Which format a query's answer takes, from `format` and `Accept` (spec: http-api §7). */
import type * as v from "valibot";
import type { ResultFormat } from "../core/query/format-result.ts";
import { invalid, wordOf } from "./decode.ts";

export const CONTENT_TYPES: Readonly<Record<ResultFormat, string>> = {
  json: "application/json",
  jsonl: "application/jsonl",
  csv: "text/csv",
  pretty: "text/plain; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
};

export const formatWord: v.GenericSchema<string, ResultFormat> = wordOf<ResultFormat>({
  pretty: "pretty",
  json: "json",
  jsonl: "jsonl",
  json_lines: "jsonl",
  csv: "csv",
  parquet: "parquet",
});

const BY_ACCEPT: ReadonlyMap<string, ResultFormat> = new Map([
  ["application/json", "json"],
  ["application/vnd.apache.parquet", "parquet"],
  ["text/csv", "csv"],
  ["text/plain", "pretty"],
] as const);

/** `Accept` must be readable even when `format` decides. Throws `request.invalid`. */
export function chooseFormat(named: ResultFormat | undefined, accept: string | null): ResultFormat {
  const accepted = acceptedFormat(accept);
  return named ?? accepted;
}

function acceptedFormat(accept: string | null): ResultFormat {
  if (accept === null || accept.includes("*/*") || accept.includes("text/html")) return "json";
  const format = BY_ACCEPT.get(accept);
  if (format === undefined) throw invalid(`invalid mime type (${accept})`, "name the format with ?format=json, jsonl, csv, pretty or parquet");
  return format;
}
