/**
 * Uploads of plugin files (spec: processing-engine §4, §14.5). Beyond the reference a file need not be text: with
 * `"encoding": "base64"` its content is decoded first.
 */
import * as v from "valibot";
import { decodeJsonRequest, invalid } from "../decode.ts";
import { EMPTY_OK, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";

const CONTENT = { content: v.string(), encoding: v.optional(v.nullable(v.picklist(["utf-8", "base64"]))) };
const FILE = v.object({ plugin_name: v.string(), ...CONTENT });
const FOLDER = v.object({ plugin_name: v.string(), files: v.array(v.object({ relative_path: v.string(), ...CONTENT })) });

interface Content {
  readonly content: string;
  readonly encoding?: "utf-8" | "base64" | null | undefined;
}

const encoder = new TextEncoder();

/** Throws `request.invalid` for what is not base64 but should be. */
export function contentBytes({ content, encoding }: Content): Uint8Array {
  if (encoding !== "base64") return encoder.encode(content);
  try {
    return Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  } catch {
    throw invalid("serde json error: content: it is not base64");
  }
}

async function createFile(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(FILE, request, options);
  await services.processing.createPluginFile(body.plugin_name, contentBytes(body));
  return EMPTY_OK;
}

async function updateFile(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(FILE, request, options);
  await services.processing.updatePluginFile(body.plugin_name, contentBytes(body));
  return EMPTY_OK;
}

async function updateFolder(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(FOLDER, request, options);
  await services.processing.updatePluginFolder(body.plugin_name, new Map(body.files.map((file) => [file.relative_path, contentBytes(file)])));
  return EMPTY_OK;
}

const doc = (summary: string, json: NonNullable<RouteDoc["json"]>): RouteDoc => ({ tag: "Triggers and plugins", summary, json, success: { status: 200 }, failures: [404, 415, 500] });

export const PLUGIN_FILE_ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/v3/plugins/files", handle: createFile, doc: doc("Create or replace a file in the plugin folder", FILE) },
  { method: "PUT", path: "/api/v3/plugins/files", handle: updateFile, doc: doc("Replace the file of a trigger", FILE) },
  { method: "PUT", path: "/api/v3/plugins/directory", handle: updateFolder, doc: doc("Replace the folder of a trigger in one step", FOLDER) },
];
