/** The OpenAPI 3.1 document of the HTTP API, made from the routes and the schemas that check their requests. */
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { Route, RouteDoc } from "./route.ts";

type JsonObject = Record<string, unknown>;

export interface DocumentedRoute {
  readonly method: Route["method"];
  readonly path: string;
  readonly doc: RouteDoc;
}

const ERROR = v.looseObject({
  error: v.pipe(v.string(), v.description("What failed, in the reference's words")),
  data: v.optional(v.unknown()),
  code: v.optional(v.pipe(v.string(), v.description("Of the closed list of codes; also in the header tidemark-code"))),
  hint: v.optional(v.pipe(v.string(), v.description("What to do; also in the header tidemark-hint"))),
});

const FAILURES: Readonly<Record<number, string>> = {
  400: "The request has to be changed",
  401: "No valid token",
  403: "Not allowed",
  404: "There is no such resource",
  405: "Not available on this server",
  409: "It exists already",
  413: "The body is too large",
  415: "The body must be JSON and say so",
  422: "A limit of the server is reached; for writes: what did not exceed it is stored",
  429: "Too many at once: try again later",
  500: "The server or a plugin failed",
  503: "No room or not ready: try again after Retry-After",
};
const ALWAYS = [400, 401] as const;

export function openApi(routes: readonly DocumentedRoute[], version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const { method, path, doc } of routes) {
    const at = path.replace(/\*$/, "{path}");
    paths[at] = { ...paths[at], [method.toLowerCase()]: operation(method, at, doc) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Tidemark",
      version,
      description: "The HTTP API of InfluxDB 3 as Tidemark serves it. Error bodies are the reference's, with `code` and `hint` added where they are JSON.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "An admin token, apiv3_…; the schemes Token and Basic (token as password) are taken too" } },
      schemas: { Error: jsonSchema(ERROR) },
    },
  };
}

function operation(method: string, path: string, doc: RouteDoc): JsonObject {
  const parameters = [...pathParameters(path), ...(doc.query === undefined ? [] : queryParameters(doc.query, doc.eitherPlace !== true))];
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "")}`,
    tags: [doc.tag],
    summary: doc.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(doc),
    responses: { [doc.success.status]: success(doc), ...failures(doc) },
  };
}

const pathParameters = (path: string): JsonObject[] => (path.endsWith("{path}") ? [{ name: "path", in: "path", required: true, schema: { type: "string" } }] : []);

function queryParameters(schema: v.GenericSchema, mayBeRequired: boolean): JsonObject[] {
  const { properties = {}, required = [] } = jsonSchema(schema) as { properties?: Record<string, JsonObject>; required?: readonly string[] };
  return Object.entries(properties).map(([name, property]) => ({ name, in: "query", required: mayBeRequired && required.includes(name), schema: property }));
}

function requestBody({ json, bodyType, eitherPlace }: RouteDoc): JsonObject {
  if (json !== undefined) return { requestBody: { required: eitherPlace !== true, content: { "application/json": { schema: jsonSchema(json) } } } };
  return bodyType === undefined ? {} : { requestBody: { required: true, content: { [bodyType]: { schema: { type: "string" } } } } };
}

function success({ success: { types, schema } }: RouteDoc): JsonObject {
  if (types === undefined) return { description: "Done" };
  const content = types.map((type) => [type, type === "application/json" && schema !== undefined ? { schema: jsonSchema(schema) } : {}]);
  return { description: "Done", content: Object.fromEntries(content) };
}

function failures({ failures: own = [] }: RouteDoc): JsonObject {
  const statuses = [...new Set([...ALWAYS, ...own])].sort((left, right) => left - right);
  return Object.fromEntries(statuses.map((status) => [status, { description: FAILURES[status] ?? "Failed", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } }, "text/plain": {} } }]));
}

/** Checks and transformations have no JSON Schema; the words of `wordOf` become an enum. */
function jsonSchema(schema: v.GenericSchema): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: "input",
    errorMode: "ignore",
    overrideAction: ({ valibotAction, jsonSchema: made }) => {
      const words = valibotAction.type === "metadata" ? (valibotAction as unknown as { readonly metadata: { readonly words?: readonly string[] } }).metadata.words : undefined;
      if (words === undefined) return null;
      const { words: _words, ...rest } = made as JsonObject;
      return { ...rest, enum: [...words] };
    },
  });
  return rest as JsonObject;
}
