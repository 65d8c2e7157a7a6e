/**
 * Python packages of plugins (spec: http-api §12, processing-engine §15). Unlike the reference a failed install is a failed
 * request. With `Accept: application/x-ndjson` the progress is streamed, and the outcome is the last line.
 */
import * as v from "valibot";
import { isDatabaseError } from "../../core/errors/database-error.ts";
import type { InstallProgress, InstallReport } from "../../engine/packages/package-service.ts";
import { decodeJsonRequest } from "../decode.ts";
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
const doc = (summary: string, json: NonNullable<RouteDoc["json"]>): RouteDoc => ({
  tag: "Triggers and plugins", summary, json, success: { status: 200, types: ["application/json", STREAMED], schema: REPORT }, failures: [403, 415, 429, 500, 502],
});

export const PACKAGE_ROUTES: readonly Route[] = [
  { method: "POST", path: `${PATH}/install_packages`, handle: installPackages, doc: doc("Install Python packages for plugins; takes names and pip's options", INSTALL) },
  { method: "POST", path: `${PATH}/install_requirements`, handle: installRequirements, doc: doc("Install what a requirements file names", REQUIREMENTS) },
  { method: "POST", path: `${PATH}/uninstall_packages`, handle: uninstallPackages, doc: doc("Remove Python packages, and what only they needed", UNINSTALL) },
];
