/**
 * The edge check of query parameters and JSON bodies: a valibot schema in, typed values out, or `request.invalid`
 * with the texts of the reference's decoder (spec: http-api §4).
 */
import * as v from "valibot";
import { DatabaseError } from "../core/errors/database-error.ts";
import { readBody, type BodyRules } from "./body.ts";
import { describeJsonFault } from "./json-fault.ts";

type ObjectSchema<Output> = v.GenericSchema<unknown, Output>;

/** Throws `request.invalid` with `serde error: …`. Unknown parameters are ignored, repeated known ones refused. */
export function decodeQuery<Output>(schema: ObjectSchema<Output>, parameters: URLSearchParams): Output {
  const values: Record<string, string> = {};
  for (const [name, value] of parameters) {
    if (Object.hasOwn(values, name)) throw invalid(`serde error: duplicate field \`${name}\``);
    values[name] = value;
  }
  return decode(schema, values, "serde error");
}

/** Throws `request.invalid` with `serde json error: …`. */
export function decodeJson<Output>(schema: ObjectSchema<Output>, body: Uint8Array): Output {
  return decode(schema, parseJson(body), "serde json error");
}

/** Parameters of a configure call: from the URL when it has a query string, else from a JSON body (http-api §4). */
export async function decodeParameters<Output>(
  schemas: { readonly query: ObjectSchema<Output>; readonly json: ObjectSchema<Output> },
  request: Request,
  rules: BodyRules,
): Promise<Output> {
  const search = new URL(request.url).searchParams;
  if (search.size > 0) return decodeQuery(schemas.query, search);
  return decodeJsonRequest(schemas.json, request, rules);
}

/** A JSON body that says so. Throws `request.content_type`. */
export async function decodeJsonRequest<Output>(
  schema: ObjectSchema<Output>,
  request: Request,
  rules: BodyRules,
): Promise<Output> {
  const essence = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (essence !== "application/json" && !/^application\/[^/\s]+\+json$/.test(essence)) {
    throw new DatabaseError("request.content_type", {
      message: "unacceptable content-type, expected: application/json",
      hint: "send a JSON body with the header \"Content-Type: application/json\"",
    });
  }
  return decodeJson(schema, await readBody(request, rules));
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(`serde json error: ${describeJsonFault(body) ?? error.message}`);
    if (error instanceof TypeError) throw invalid("serde json error: invalid unicode code point");
    throw error;
  }
}

function decode<Output>(schema: ObjectSchema<Output>, value: unknown, prefix: string): Output {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw invalid(issueText(prefix, result.issues[0]));
}

function issueText(prefix: string, issue: v.BaseIssue<unknown>): string {
  const field = issue.path?.map((item) => String(item.key)).join(".") ?? "";
  if (issue.received === "undefined" && field !== "") return `${prefix}: missing field \`${field}\``;
  if (issue.kind !== "schema" || !issue.message.startsWith("Invalid ")) return `${prefix}: ${issue.message}`;
  const place = field === "" ? prefix : `${prefix}: ${field}`;
  return `${place}: invalid type: ${given(issue.input)}, expected ${expected(issue)}`;
}

function given(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `string ${JSON.stringify(value)}`;
  if (typeof value === "boolean") return `boolean \`${value}\``;
  if (typeof value === "number") return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
  return Array.isArray(value) ? "sequence" : "map";
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  boolean: "a boolean",
  number: "a number",
  Array: "a sequence",
  Object: "a map",
};

function expected(issue: v.BaseIssue<unknown>): string {
  return EXPECTED[issue.expected ?? ""] ?? issue.expected ?? "another value";
}

export function invalid(message: string, hint?: string): DatabaseError {
  return new DatabaseError("request.invalid", { message, ...(hint === undefined ? {} : { hint }) });
}

/** One of the listed words; several words may mean the same value. */
export function wordOf<Value extends string>(words: Readonly<Record<string, Value>>): v.GenericSchema<string, Value> {
  const known = Object.keys(words).map((word) => `\`${word}\``).join(", ");
  return v.pipe(
    v.string(),
    v.metadata({ words: Object.keys(words) }),
    v.check((word) => Object.hasOwn(words, word), (issue) => `unknown variant \`${String(issue.input)}\`, expected one of ${known}`),
    v.transform((word) => words[word] as Value),
  );
}

/** `true` or `false` as a query parameter writes them. */
export const booleanWord: v.GenericSchema<string, boolean> = v.pipe(
  v.string(),
  v.metadata({ words: ["true", "false"] }),
  v.check((word) => word === "true" || word === "false", "provided string was not `true` or `false`"),
  v.transform((word) => word === "true"),
);
