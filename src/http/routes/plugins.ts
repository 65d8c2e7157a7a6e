/** Test runs of plugins (spec: processing-engine §16). */
import * as v from "valibot";
import { decodeJsonRequest, decodeQuery } from "../decode.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";
import type { TestRequest } from "../services.ts";
import { contentBytes } from "./plugin-files.ts";
import { ownSettings, SETTINGS, type Settings } from "./trigger-settings.ts";

const TESTED = {
  filename: v.string(),
  database: v.string(),
  cache_name: v.optional(v.nullable(v.string())),
  input_arguments: v.optional(v.nullable(v.record(v.string(), v.string()))),
  ...SETTINGS,
};
const TEST_WAL = v.object({ ...TESTED, input_lp: v.string() });
const TEST_SCHEDULE = v.object({ ...TESTED, schedule: v.optional(v.nullable(v.string())) });
const TEST_REQUEST = v.object({
  ...TESTED,
  query: v.optional(v.nullable(v.record(v.string(), v.string()))),
  headers: v.optional(v.nullable(v.record(v.string(), v.string()))),
  body: v.optional(v.nullable(v.string())),
  body_base64: v.optional(v.nullable(v.string())),
});

interface Tested extends Settings {
  readonly filename: string;
  readonly database: string;
  readonly cache_name?: string | null | undefined;
  readonly input_arguments?: Readonly<Record<string, string>> | null | undefined;
}

function tested(body: Tested): TestRequest {
  return {
    fileName: body.filename,
    database: body.database,
    ...(body.cache_name == null ? {} : { cacheName: body.cache_name }),
    ...(body.input_arguments == null ? {} : { inputArguments: Object.entries(body.input_arguments) }),
    ...ownSettings(body),
  };
}

async function testWal(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(TEST_WAL, request, options);
  return jsonReply(await services.processing.testWal({ ...tested(body), inputLp: body.input_lp }));
}

async function testSchedule(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(TEST_SCHEDULE, request, options);
  return jsonReply(await services.processing.testSchedule({ ...tested(body), ...(body.schedule == null ? {} : { schedule: body.schedule }) }));
}

/** Ours; the reference has no test of request plugins. */
async function testRequest(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(TEST_REQUEST, request, options);
  const sent = body.body_base64 == null ? contentBytes({ content: body.body ?? "" }) : contentBytes({ content: body.body_base64, encoding: "base64" });
  const parts = { query: Object.entries(body.query ?? {}), headers: Object.entries(body.headers ?? {}), body: sent };
  return jsonReply(await services.processing.testRequest({ ...tested(body), ...parts }));
}

const ASKED = v.object({ plugin_filename: v.string() });

/** Ours: what the plugin's manifest asks for and its code seems to need, so that a user is shown it before a trigger is created. */
async function askedGrants(request: Request, { services }: RouteContext): Promise<Reply> {
  const { plugin_filename: fileName } = decodeQuery(ASKED, new URL(request.url).searchParams);
  return jsonReply({ grants: await services.processing.askedGrants(fileName), likely: await services.processing.likelyGrants(fileName) });
}

const REPORT = {
  log_lines: v.array(v.string()),
  database_writes: v.record(v.string(), v.array(v.string())),
  errors: v.array(v.string()),
  traceback: v.nullable(v.string()),
  error_file: v.nullable(v.string()),
  error_line: v.nullable(v.number()),
  duration_ms: v.number(),
  memory_bytes: v.number(),
};
const RESPONSE = v.object({ status: v.number(), headers: v.record(v.string(), v.string()), body: v.optional(v.string()), body_base64: v.optional(v.string()) });
const reported = (entries: v.ObjectEntries): RouteDoc["success"] => ({ status: 200, types: ["application/json"], schema: v.looseObject(entries) });
const doc = (summary: string, json: RouteDoc["json"], success: RouteDoc["success"]): RouteDoc => ({ tag: "Triggers and plugins", summary, ...(json === undefined ? {} : { json }), success, failures: [404, 415, 500] });

export const PLUGIN_ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/v3/plugin_test/wal", handle: testWal, doc: doc("Run a plugin for writes without keeping what it writes", TEST_WAL, reported(REPORT)) },
  {
    method: "POST", path: "/api/v3/plugin_test/schedule", handle: testSchedule,
    doc: doc("Run a plugin for schedules without keeping what it writes", TEST_SCHEDULE, reported({ trigger_time: v.nullable(v.string()), ...REPORT })),
  },
  {
    method: "POST", path: "/api/v3/plugin_test/request", handle: testRequest,
    doc: doc("Run a plugin for requests without keeping what it writes", TEST_REQUEST, reported({ response: v.nullable(RESPONSE), ...REPORT })),
  },
  {
    method: "GET", path: "/api/v3/plugins/grants", handle: askedGrants,
    doc: { tag: "Triggers and plugins", summary: "What a plugin's manifest asks for, and what its code is likely to need", query: ASKED, success: reported({ grants: v.unknown(), likely: v.unknown() }), failures: [500] },
  },
];
