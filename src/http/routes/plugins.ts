/** Test runs of plugins and uploads of plugin files (spec: processing-engine §14.5, §16). */
import * as v from "valibot";
import { decodeJsonRequest, decodeQuery } from "../decode.ts";
import { EMPTY_OK, jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext } from "../route.ts";
import type { ScheduleTestRequest } from "../services.ts";

const TESTED = {
  filename: v.string(),
  database: v.string(),
  cache_name: v.optional(v.nullable(v.string())),
  input_arguments: v.optional(v.nullable(v.record(v.string(), v.string()))),
};
const TEST_WAL = v.object({ ...TESTED, input_lp: v.string() });
const TEST_SCHEDULE = v.object({ ...TESTED, schedule: v.optional(v.nullable(v.string())) });

interface Tested {
  readonly filename: string;
  readonly database: string;
  readonly cache_name?: string | null | undefined;
  readonly input_arguments?: Readonly<Record<string, string>> | null | undefined;
}

function tested(body: Tested): Omit<ScheduleTestRequest, "schedule"> {
  return {
    fileName: body.filename,
    database: body.database,
    ...(body.cache_name == null ? {} : { cacheName: body.cache_name }),
    ...(body.input_arguments == null ? {} : { inputArguments: Object.entries(body.input_arguments) }),
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

const PLUGIN_FILE = v.object({ plugin_name: v.string(), content: v.string() });

async function writeFile(request: Request, { services, options }: RouteContext, mode: "create" | "update"): Promise<Reply> {
  const { plugin_name: name, content } = await decodeJsonRequest(PLUGIN_FILE, request, options);
  await services.processing.writePluginFile(name, content, mode);
  return EMPTY_OK;
}

const ASKED = v.object({ plugin_filename: v.string() });

/** Ours: what the plugin's manifest asks for, so that a user is shown it before a trigger is created. */
async function askedGrants(request: Request, { services }: RouteContext): Promise<Reply> {
  const { plugin_filename: fileName } = decodeQuery(ASKED, new URL(request.url).searchParams);
  return jsonReply({ grants: await services.processing.askedGrants(fileName) });
}

export const PLUGIN_ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/v3/plugin_test/wal", handle: testWal },
  { method: "POST", path: "/api/v3/plugin_test/schedule", handle: testSchedule },
  { method: "GET", path: "/api/v3/plugins/grants", handle: askedGrants },
  { method: "POST", path: "/api/v3/plugins/files", handle: (request, context) => writeFile(request, context, "create") },
  { method: "PUT", path: "/api/v3/plugins/files", handle: (request, context) => writeFile(request, context, "update") },
];
