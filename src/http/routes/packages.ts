/**
 * Python packages of plugins (spec: http-api §12, processing-engine §15). Unlike the reference a failed install is a failed
 * request. With `Accept: application/x-ndjson` the progress is streamed, and the outcome is the last line.
 */
import * as v from "valibot";
import { isDatabaseError } from "../../core/errors/database-error.ts";
import type { InstallProgress, InstallReport } from "../../engine/packages/package-service.ts";
import { decodeJsonRequest, invalid } from "../decode.ts";
import { toDatabaseError } from "../error-reply.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";

const PATH = "/api/v3/configure/plugin_environment";
const STREAMED = "application/x-ndjson";

const INSTALL = v.object({ packages: v.array(v.string()) });
const REQUIREMENTS = v.object({
  requirements_location: v.string(),
  /** Ours: the texts of that file and of those that it includes, by their names. */
  requirements_files: v.optional(v.nullable(v.record(v.string(), v.string()))),
  /** Ours: options as pip takes them. */
  options: v.optional(v.nullable(v.array(v.string()))),
});
const UNINSTALL = v.object({ packages: v.array(v.string()) });

async function installPackages(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { packages } = await decodeJsonRequest(INSTALL, request, options);
  return answer(request, (progress) => services.packages.install({ packages, requirementsFiles: [] }, undefined, progress));
}

async function installRequirements(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(REQUIREMENTS, request, options);
  const files = body.requirements_files == null ? undefined : new Map(Object.entries(body.requirements_files));
  const words = { packages: body.options ?? [], requirementsFiles: [body.requirements_location] };
  return answer(request, (progress) => services.packages.install(words, files, progress));
}

async function uninstallPackages(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { packages } = await decodeJsonRequest(UNINSTALL, request, options);
  return jsonReply(await services.packages.uninstall(packages));
}

const NEEDED = v.object({
  plugin_filename: v.optional(v.string()),
  /** Texts of the files beside the code of a plugin that is about to be uploaded, by name. */
  files: v.optional(v.record(v.string(), v.string())),
  /** Installs what is missing. */
  install: v.optional(v.boolean()),
});

/** Ours: what a plugin says that it needs and is not there, and installing it. */
async function neededPackages(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const { plugin_filename: fileName, files, install } = await decodeJsonRequest(NEEDED, request, options);
  if ((fileName === undefined) === (files === undefined)) throw invalid("give either plugin_filename or files");
  const place = fileName === undefined ? { files: new Map(Object.entries(files ?? {})) } : { fileName };
  if (install === true) return answer(request, (progress) => services.packages.installFor(place, progress));
  const { missing, command, refusal, problems } = await services.packages.neededBy(place);
  return jsonReply({ missing, command, refusal, problems });
}

async function answer(request: Request, work: (progress: InstallProgress) => Promise<InstallReport>): Promise<Reply> {
  if (request.headers.get("accept") !== STREAMED) return jsonReply(await work(() => undefined));
  return { status: 200, headers: { "content-type": STREAMED }, body: progressStream(work) };
}

/** One JSON object a line: steps, then `{ done }` or `{ failed }`. */
function progressStream(work: (progress: InstallProgress) => Promise<InstallReport>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      let open = true;
      const send = (line: unknown): void => {
        if (open) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      };
      try {
        send({ done: await work(send) });
      } catch (error) {
        const { code, message, hint, status } = isDatabaseError(error) ? error : toDatabaseError(error);
        send({ failed: { status, code, error: message, ...(hint === undefined ? {} : { hint }) } });
      }
      open = false;
      controller.close();
    },
  });
}

const CHANGED = v.looseObject({ name: v.string(), version: v.string() });
const REPORT = v.looseObject({ installed: v.array(CHANGED), removed: v.array(CHANGED), unchanged: v.array(CHANGED), notes: v.array(v.string()), dryRun: v.boolean() });
const MISSING = v.looseObject({ missing: v.array(v.looseObject({ requirement: v.string() })), command: v.optional(v.string()), refusal: v.optional(v.string()), problems: v.array(v.string()) });
const doc = (summary: string, json: NonNullable<RouteDoc["json"]>): RouteDoc => ({
  tag: "Triggers and plugins", summary, json, success: { status: 200, types: ["application/json", STREAMED], schema: REPORT }, failures: [403, 415, 429, 500, 502],
});

export const PACKAGE_ROUTES: readonly Route[] = [
  { method: "POST", path: `${PATH}/install_packages`, handle: installPackages, doc: doc("Install Python packages for plugins; takes names and pip's options", INSTALL) },
  { method: "POST", path: `${PATH}/install_requirements`, handle: installRequirements, doc: doc("Install what a requirements file names", REQUIREMENTS) },
  {
    method: "POST", path: "/api/v3/plugins/requirements", handle: neededPackages,
    doc: { ...doc("What a plugin needs and is not installed; with install, installs it", NEEDED), success: { status: 200, types: ["application/json", STREAMED], schema: v.union([MISSING, REPORT]) } },
  },
  { method: "POST", path: `${PATH}/uninstall_packages`, handle: uninstallPackages, doc: doc("Remove Python packages, and what only they needed", UNINSTALL) },
];
