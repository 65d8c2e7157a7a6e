/** Test runs of plugins and uploads of plugin files (spec: processing-engine §14.5, §16). */
import * as v from "valibot";
import { decodeJsonRequest } from "../decode.ts";
import { EMPTY_OK, jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext } from "../route.ts";

const TEST_WAL = v.object({
  filename: v.string(),
  database: v.string(),
  input_lp: v.string(),
  cache_name: v.optional(v.nullable(v.string())),
  input_arguments: v.optional(v.nullable(v.record(v.string(), v.string()))),
});

async function testWal(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(TEST_WAL, request, options);
  const report = await services.processing.testWal({
    fileName: body.filename,
    database: body.database,
    inputLp: body.input_lp,
    ...(body.cache_name == null ? {} : { cacheName: body.cache_name }),
    ...(body.input_arguments == null ? {} : { inputArguments: Object.entries(body.input_arguments) }),
  });
  return jsonReply(report);
}

const PLUGIN_FILE = v.object({ plugin_name: v.string(), content: v.string() });

async function writeFile(request: Request, { services, options }: RouteContext, mode: "create" | "update"): Promise<Reply> {
  const { plugin_name: name, content } = await decodeJsonRequest(PLUGIN_FILE, request, options);
  await services.processing.writePluginFile(name, content, mode);
  return EMPTY_OK;
}

export const PLUGIN_ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/v3/plugin_test/wal", handle: testWal },
  { method: "POST", path: "/api/v3/plugins/files", handle: (request, context) => writeFile(request, context, "create") },
  { method: "PUT", path: "/api/v3/plugins/files", handle: (request, context) => writeFile(request, context, "update") },
];
