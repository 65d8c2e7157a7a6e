/** The parameters of the three write endpoints (spec: http-api §6): three dialects of the same request. */
import * as v from "valibot";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { Precision } from "../core/line-protocol/precision.ts";
import { booleanWord, decodeQuery, invalid, wordOf } from "./decode.ts";

export type WritePath = "/api/v3/write_lp" | "/api/v2/write" | "/write";

export interface WriteParameters {
  readonly database: string;
  readonly precision: Precision;
  readonly acceptPartial: boolean;
  readonly noSync: boolean;
}

export const UNIT_WORDS = {
  second: "second",
  s: "second",
  millisecond: "millisecond",
  ms: "millisecond",
  microsecond: "microsecond",
  us: "microsecond",
  u: "microsecond",
  nanosecond: "nanosecond",
  ns: "nanosecond",
  n: "nanosecond",
} as const satisfies Record<string, Precision>;

const UNITS: Readonly<Record<string, Precision>> = UNIT_WORDS;

export const V3_PARAMETERS = v.object({
  db: v.string(),
  precision: v.optional(wordOf<Precision>({ auto: "auto", ...UNIT_WORDS }), "auto"),
  accept_partial: v.optional(booleanWord, "true"),
  no_sync: v.optional(booleanWord, "false"),
});

/** `hasQuery`: whether the URL had a query string at all; v3 answers its absence with a text of its own. */
export function writeParameters(path: WritePath, query: URLSearchParams, hasQuery: boolean): WriteParameters {
  if (path === "/api/v3/write_lp") return v3Parameters(query, hasQuery);
  return path === "/write" ? v1Parameters(query) : v2Parameters(query);
}

function v3Parameters(query: URLSearchParams, hasQuery: boolean): WriteParameters {
  if (!hasQuery) throw invalid("missing query parameter 'db'", "add ?db=<database> to the URL");
  const { db, precision, accept_partial: acceptPartial, no_sync: noSync } = decodeQuery(V3_PARAMETERS, query);
  return { database: db, precision, acceptPartial, noSync };
}

/** Spec §6.3: retention policies other than the defaults name a database of their own. */
function v1Parameters(query: URLSearchParams): WriteParameters {
  const db = query.get("db");
  if (db === null || db === "") throw invalid("no db destination provided", "add ?db=<database> to the URL");
  const policy = (query.get("rp") ?? "").toLowerCase();
  const isDefault = ["", "''", "autogen", "default"].includes(policy);
  return strict(isDefault ? db : `${db}/${policy}`, unitOf(query, "db/rp/precision"));
}

function v2Parameters(query: URLSearchParams): WriteParameters {
  const bucket = query.get("bucket");
  if (bucket === null) throw invalid("no org/bucket destination provided", "add ?bucket=<database> to the URL");
  if (bucket === "") throw invalid("missing bucket value", "add ?bucket=<database> to the URL");
  return strict(bucket, unitOf(query, "org/bucket/precision"));
}

function strict(database: string, precision: Precision): WriteParameters {
  return { database, precision, acceptPartial: false, noSync: false };
}

/** Nanoseconds unless said otherwise; v1 and v2 never guess. */
function unitOf(query: URLSearchParams, parameters: string): Precision {
  const word = query.get("precision");
  if (word === null) return "nanosecond";
  const precision = Object.hasOwn(UNITS, word) ? UNITS[word] : undefined;
  if (precision !== undefined) return precision;
  const known = Object.keys(UNITS).map((unit) => `\`${unit}\``).join(", ");
  throw new DatabaseError("request.invalid", {
    message: `failed to deserialize ${parameters} in request: unknown variant \`${word}\`, expected one of ${known}`,
  });
}
