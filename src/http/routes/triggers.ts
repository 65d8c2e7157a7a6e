/** Triggers of the processing engine (spec: http-api §12, processing-engine §4). */
import * as v from "valibot";
import { parseTriggerSpecification, pluginTypeOf } from "../../core/trigger/specification.ts";
import type { NeededPackages } from "../../engine/packages/package-api.ts";
import { missingText } from "../../core/packages/plugin-requirements.ts";
import { booleanWord, decodeJsonRequest, decodeParameters, decodeQuery, invalid } from "../decode.ts";
import { EMPTY_OK, jsonReply, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";
import { changedSettings, ownSettings, SETTINGS } from "./trigger-settings.ts";

const PATH = "/api/v3/configure/processing_engine_trigger";
const ERROR_BEHAVIORS = ["log", "retry", "disable"] as const;

/** In any case, as the reference's documentation writes it (spec: processing-engine §23). */
const ERROR_BEHAVIOR = v.pipe(
  v.string(),
  v.check((word) => (ERROR_BEHAVIORS as readonly string[]).includes(word.toLowerCase()), (issue) => `unknown variant \`${String(issue.input)}\`, expected one of \`log\`, \`retry\`, \`disable\``),
  v.transform((word) => word.toLowerCase() as (typeof ERROR_BEHAVIORS)[number]),
);

const TRIGGER_SETTINGS = v.object({ run_async: v.optional(v.boolean()), error_behavior: v.optional(ERROR_BEHAVIOR) });

const CREATE = v.object({
  db: v.string(),
  plugin_filename: v.string(),
  trigger_name: v.string(),
  trigger_settings: v.optional(TRIGGER_SETTINGS),
  trigger_specification: v.string(),
  trigger_arguments: v.optional(v.nullable(v.record(v.string(), v.string()))),
  disabled: v.optional(v.boolean()),
  durable: v.optional(v.boolean()),
  /** Ours: installs first what the plugin's manifest and requirements name; when that fails, there is no trigger. */
  install: v.optional(v.boolean()),
  ...SETTINGS,
});

function checkAllowed(options: RouteContext["options"], text: string): void {
  if (options.allowsTrigger === undefined) return;
  const specification = parseTriggerSpecification(text);
  if (!options.allowsTrigger(specification)) {
    throw invalid(`invalid request: server is configured to reject ${pluginTypeOf(specification)} plugin triggers`);
  }
}

async function createTrigger(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeParameters({ query: CREATE, json: CREATE }, request, options);
  checkAllowed(options, body.trigger_specification);
  const place = { fileName: body.plugin_filename };
  if (body.install === true) await services.packages.installFor(place, () => undefined);
  await services.processing.createTrigger({
    database: body.db,
    pluginFileName: body.plugin_filename,
    triggerName: body.trigger_name,
    runAsync: body.trigger_settings?.run_async ?? false,
    errorBehavior: body.trigger_settings?.error_behavior ?? "log",
    specification: body.trigger_specification,
    arguments: body.trigger_arguments == null ? undefined : Object.entries(body.trigger_arguments),
    disabled: body.disabled ?? false,
    ...(body.durable === undefined ? {} : { durable: body.durable }),
    ...ownSettings(body),
  });
  const warnings = body.install === true ? [] : warningsOf(await services.packages.neededBy(place));
  return warnings.length === 0 ? EMPTY_OK : jsonReply({ warnings });
}

/** As in the reference, a trigger whose packages are missing is created, and its runs fail until they are there; here the answer says so. */
function warningsOf({ missing, command, refusal, problems }: NeededPackages): readonly string[] {
  const unread = problems.map((problem) => `What the plugin needs cannot be read: ${problem}`);
  if (missing.length === 0) return unread;
  return [...unread, `The plugin needs packages that are not installed: ${missing.map(missingText).join(", ")}. ${refusal ?? `Install them with: ${command}`}`];
}

const UPDATE = v.object({
  db: v.string(),
  trigger_name: v.string(),
  plugin_filename: v.optional(v.string()),
  trigger_specification: v.optional(v.string()),
  trigger_arguments: v.optional(v.nullable(v.record(v.string(), v.string()))),
  trigger_settings: v.optional(TRIGGER_SETTINGS),
  durable: v.optional(v.boolean()),
  ...SETTINGS,
});

/** Ours: changes a trigger; members that are not given stay. */
async function updateTrigger(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const body = await decodeJsonRequest(UPDATE, request, options);
  if (body.trigger_specification !== undefined) checkAllowed(options, body.trigger_specification);
  const { trigger_arguments: values, trigger_settings: settings } = body;
  const given = {
    pluginFileName: body.plugin_filename,
    specification: body.trigger_specification,
    runAsync: settings?.run_async,
    errorBehavior: settings?.error_behavior,
    durable: body.durable,
  };
  await services.processing.updateTrigger({
    database: body.db,
    triggerName: body.trigger_name,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(values === undefined ? {} : { arguments: { values: values === null ? undefined : Object.entries(values) } }),
    ...changedSettings(body),
  });
  return EMPTY_OK;
}

const DELETE_IN_QUERY = v.object({ db: v.string(), trigger_name: v.string(), force: v.optional(booleanWord, "false") });
const DELETE_IN_JSON = v.object({ db: v.string(), trigger_name: v.string(), force: v.optional(v.boolean(), false) });

async function deleteTrigger(request: Request, { services, options }: RouteContext): Promise<Reply> {
  const schemas = { query: DELETE_IN_QUERY, json: DELETE_IN_JSON };
  const { db, trigger_name: name, force } = await decodeParameters(schemas, request, options);
  await services.processing.deleteTrigger(db, name, force);
  return EMPTY_OK;
}

const SWITCH = v.object({ db: v.string(), trigger_name: v.string() });

async function setEnabled(request: Request, { services }: RouteContext, enabled: boolean): Promise<Reply> {
  const { db, trigger_name: name } = decodeQuery(SWITCH, new URL(request.url).searchParams);
  await services.processing.setTriggerEnabled(db, name, enabled);
  return EMPTY_OK;
}

const DONE = { status: 200 } as const;
const CREATED: RouteDoc["success"] = { status: 200, types: ["application/json"], schema: v.looseObject({ warnings: v.optional(v.array(v.string())) }) };
const doc = (summary: string, more: Partial<RouteDoc>): RouteDoc => ({ tag: "Triggers and plugins", summary, success: DONE, failures: [404, 500], ...more });

export const TRIGGER_ROUTES: readonly Route[] = [
  { method: "POST", path: PATH, handle: createTrigger, doc: doc("Create a trigger; warnings name packages that the plugin needs and are not installed", { json: CREATE, success: CREATED, failures: [403, 404, 409, 415, 422, 429, 500, 502] }) },
  { method: "PUT", path: PATH, handle: updateTrigger, doc: doc("Change limits and grants of a trigger", { json: UPDATE, failures: [404, 415, 500] }) },
  { method: "DELETE", path: PATH, handle: deleteTrigger, doc: doc("Delete a trigger", { query: DELETE_IN_QUERY, json: DELETE_IN_JSON, eitherPlace: true }) },
  { method: "POST", path: `${PATH}/enable`, handle: (request, context) => setEnabled(request, context, true), doc: doc("Start a trigger", { query: SWITCH }) },
  { method: "POST", path: `${PATH}/disable`, handle: (request, context) => setEnabled(request, context, false), doc: doc("Stop a trigger", { query: SWITCH }) },
];
