/** Flags that several commands share (spec: cli §2). */
import { parseRetentionPeriod } from "../core/config/retention-period.ts";
import type { FlagSpec } from "./command.ts";
import { splitPairs } from "./parsed-arguments.ts";

export const HOST_FLAG: FlagSpec = {
  name: "host",
  short: "H",
  value: "URL",
  summary: "The server to talk to",
  env: ["INFLUXDB3_HOST_URL"],
  defaultText: "http://127.0.0.1:8181",
  check: checkUrl,
};

export const TOKEN_FLAG: FlagSpec = {
  name: "token",
  value: "TOKEN",
  summary: "Sent as \"Authorization: Bearer\"",
  env: ["INFLUXDB3_AUTH_TOKEN"],
};

const TLS_FLAGS: readonly FlagSpec[] = [
  { name: "tls-ca", value: "FILE", summary: "Trust the certificates of this PEM file too", env: ["INFLUXDB3_TLS_CA"] },
  { name: "tls-no-verify", summary: "Do not check the server's certificate", env: ["INFLUXDB3_TLS_NO_VERIFY"] },
];

export const CLIENT_FLAGS: readonly FlagSpec[] = [HOST_FLAG, TOKEN_FLAG, ...TLS_FLAGS];

export const DATABASE_FLAG: FlagSpec = {
  name: "database",
  short: "d",
  value: "NAME",
  summary: "The database to work in",
  env: ["INFLUXDB3_DATABASE_NAME"],
  required: true,
};

export const YES_FLAG: FlagSpec = { name: "yes", short: "y", summary: "Do not ask for confirmation" };

export function checkRetention(text: string): string | undefined {
  return parseRetentionPeriod(text) === undefined ? "it is not a duration such as 30d" : undefined;
}

export const HARD_DELETE_FLAG: FlagSpec = {
  name: "hard-delete",
  value: "WHEN",
  summary: "When the data itself goes: never, now, default (72 hours) or a time such as 2026-01-31T00:00:00Z",
};

export const FORMAT_FLAG: FlagSpec = {
  name: "format",
  value: "FORMAT",
  summary: "How to print the rows",
  choices: ["pretty", "json", "jsonl", "csv", "parquet"],
  defaultText: "pretty",
};

/** `key=value` lists; the comma separates, the first `=` splits (spec: processing-engine §3). A comma in a value is `\,`. */
export function pairsFlag(name: string, summary: string): FlagSpec {
  return { name, value: "KEY=VALUE,…", summary, repeat: "flag", check: checkPairs };
}

function checkPairs(value: string): string | undefined {
  return splitPairs(value).every(([key]) => key !== "") ? undefined : 'must be formatted as "key=value"';
}

/** The last value of a repeated key wins. */
export function pairsOf(pairs: readonly (readonly [key: string, value: string])[]): Record<string, string> | undefined {
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

export function checkUrl(value: string): string | undefined {
  return /^https?:\/\/[^/]+/.test(value) && URL.canParse(value) ? undefined : "it is not a URL with a scheme, such as http://127.0.0.1:8181";
}

export function checkPositive(value: string): string | undefined {
  if (!/^\d{1,15}$/.test(value)) return "invalid digit found in string";
  return Number(value) > 0 ? undefined : "value must be at least 1";
}
