// Goal: /openapi.json is a valid OpenAPI 3.1 document, names every route that does something, and tells the truth. Method: a
// validator of the format; then real requests through the app, whose statuses, content types and JSON bodies must be documented.
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { ROUTES } from "../../../src/http/app.ts";
import { REFUSED_ROUTES } from "../../../src/http/routes/refused.ts";
import { fakeWorld, json, send } from "./fake-services.ts";

interface Media {
  readonly schema?: object;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly required: boolean; readonly schema: Record<string, unknown> }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document = JSON.parse((await send(fakeWorld(), "GET /openapi.json")).text) as Document;
const operation = (method: string, path: string): Operation | undefined => document.paths[path]?.[method.toLowerCase()];

describe("/openapi.json", () => {
  it("is valid OpenAPI 3.1", async () => {
    expect(await new Validator().validate({ ...structuredClone(document) })).toEqual({ valid: true });
  });

  it("names every route but those that only say that they are not there", () => {
    const missing = ROUTES.filter((route) => !REFUSED_ROUTES.includes(route)).filter(({ method, path }) => operation(method, path.replace("*", "{path}")) === undefined);
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    for (const path of ["/api/v3/write_lp", "/api/v2/write", "/write"]) expect(operation("post", path)).toBeDefined();
  });

  it("has one name for each operation", () => {
    const names = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(names).size).toBe(names.length);
  });

  it("offers the words of a parameter (http-api §6.1, §7)", () => {
    const words = (path: string, name: string): unknown => operation("post", path)?.parameters?.find((parameter) => parameter.name === name)?.schema["enum"];
    expect(words("/api/v3/write_lp", "precision")).toEqual(["auto", "second", "s", "millisecond", "ms", "microsecond", "us", "u", "nanosecond", "ns", "n"]);
    expect(words("/api/v3/write_lp", "no_sync")).toEqual(["true", "false"]);
    expect(operation("post", "/api/v3/write_lp")?.parameters?.map(({ name, required }) => [name, required])).toEqual([["db", true], ["precision", false], ["accept_partial", false], ["no_sync", false]]);
  });
});

const TRIGGER = { db: "d", plugin_filename: "p.py", trigger_name: "t", trigger_settings: { run_async: false, error_behavior: "log" }, trigger_specification: "all_tables", trigger_arguments: null, disabled: false };

/** Requests that succeed with the fake services: each body is also held against its own schema. */
const REQUESTS: readonly (readonly [line: string, body?: string | object])[] = [
  ["GET /health"], ["GET /ping"], ["GET /metrics"], ["GET /openapi.json"],
  ["POST /api/v3/write_lp?db=d&precision=ns", "m f=1"], ["POST /api/v2/write?bucket=d", "m f=1"], ["POST /write?db=d", "m f=1"],
  ["GET /api/v3/query_sql?db=d&q=SELECT+1"], ["GET /api/v3/query_sql?db=d&q=SELECT+1&format=csv"], ["GET /api/v3/query_sql?db=d&q=SELECT+1&format=pretty"], ["GET /api/v3/query_sql?db=d&q=SELECT+1&format=jsonl"],
  ["POST /api/v3/query_sql", { db: "d", q: "SELECT $a", params: { a: 1 } }],
  ["GET /api/v3/configure/database?format=json"], ["POST /api/v3/configure/database", { db: "d", retention_period: "1d" }], ["PUT /api/v3/configure/database", { db: "d", retention_period: null }],
  ["DELETE /api/v3/configure/database?db=d"], ["DELETE /api/v3/configure/database", { db: "d" }],
  ["POST /api/v3/configure/database/retention_period?db=d&duration=1d"], ["DELETE /api/v3/configure/database/retention_period?db=d"],
  ["POST /api/v3/configure/table", { db: "d", table: "t", tags: ["a"], fields: [{ name: "f", type: "int64" }] }], ["DELETE /api/v3/configure/table?db=d&table=t"],
  ["POST /api/v3/configure/processing_engine_trigger", TRIGGER], ["DELETE /api/v3/configure/processing_engine_trigger?db=d&trigger_name=t&force=true"],
  ["POST /api/v3/configure/processing_engine_trigger/enable?db=d&trigger_name=t"], ["POST /api/v3/configure/processing_engine_trigger/disable?db=d&trigger_name=t"],
  ["POST /api/v3/plugin_test/wal", { filename: "p.py", database: "d", input_lp: "m f=1" }], ["POST /api/v3/plugin_test/schedule", { filename: "p.py", database: "d" }],
  ["POST /api/v3/configure/plugin_environment/install_packages", { packages: ["a"] }], ["POST /api/v3/configure/plugin_environment/install_requirements", { requirements_location: "r.txt", requirements_files: { "r.txt": "a" } }],
  ["POST /api/v3/configure/plugin_environment/uninstall_packages", { packages: ["a"] }],
  ["POST /api/v3/plugins/files", { plugin_name: "p.py", content: "x = 1" }], ["PUT /api/v3/plugins/files", { plugin_name: "t", content: "x = 1" }],
];
const TOKENS: typeof REQUESTS = [
  ["POST /api/v3/configure/token/admin"], ["POST /api/v3/configure/token/admin/regenerate"], ["POST /api/v3/configure/token/named_admin", { token_name: "n", expiry_secs: 5 }], ["DELETE /api/v3/configure/token?token_name=n"],
];

function agrees(media: Media | undefined, body: unknown): true | string {
  if (media?.schema === undefined) return true;
  const ajv = new Ajv2020({ strict: false });
  return ajv.validate(media.schema, body) || ajv.errorsText();
}

async function check(line: string, body: unknown, authenticated: boolean): Promise<void> {
  const world = fakeWorld(authenticated ? { authenticate: () => ({ id: 1, name: "_admin", hash: "", createdMs: 0n }) } : {});
  const [method, target] = line.split(" ") as [string, string];
  const documented = operation(method, target.split("?")[0] as string);
  if (typeof body === "object") expect(agrees(documented?.requestBody?.content["application/json"], body)).toBe(true);
  const answer = await send(world, line, body === undefined ? {} : typeof body === "string" ? { body } : json(body));
  expect(answer.status).toBeLessThan(300);
  const response = documented?.responses[answer.status];
  expect(response, `${line} → ${answer.status}`).toBeDefined();
  const type = answer.headers.get("content-type")?.split(";")[0];
  if (type === undefined) expect(answer.text).toBe("");
  else expect(Object.keys(response?.content ?? {})).toContain(type);
  if (type === "application/json") expect(agrees(response?.content?.[type], JSON.parse(answer.text))).toBe(true);
}

describe("real answers agree with it", () => {
  it.each(REQUESTS.map(([line, body]) => ({ line, body })))("$line", ({ line, body }) => check(line, body, false));
  it.each(TOKENS.map(([line, body]) => ({ line, body })))("$line", ({ line, body }) => check(line, body, true));

  it.each([
    ["POST /api/v3/write_lp", 400], ["POST /api/v3/configure/table", 415], ["POST /api/v3/configure/token/admin", 405], ["GET /api/v3/query_sql?db=d", 400], ["GET /api/v3/engine/x", 404],
  ])("%s fails with the documented %i", async (line, status) => {
    const [method, target] = line.split(" ") as [string, string];
    const path = target.startsWith("/api/v3/engine/") ? "/api/v3/engine/{path}" : (target.split("?")[0] as string);
    expect((await send(fakeWorld(), line)).status).toBe(status);
    expect(operation(method, path)?.responses[status]).toBeDefined();
  });
});
