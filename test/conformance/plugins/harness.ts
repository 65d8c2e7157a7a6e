/**
 * One server for the whole suite: a real process with one booted interpreter, reached over HTTP only. Every case is a
 * plugin of its own under a name of its own, so no case can see another one's state.
 */
import { expect } from "vitest";
import { post, removeFolder, startServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let count = 0;

export async function openServer(): Promise<void> {
  server = await startServer({ flags: ["--wal-flush-interval", "20ms", "--plugin-profile", "trusted"] });
}

export async function closeServer(): Promise<void> {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
}

export const theServer = (): TestServer => server;

const kept = new Set(["conformance"]);

/** A database that later cases use too. */
export function keepDatabase(name: string): string {
  kept.add(name);
  return name;
}

/** After each case: databases are few (spec §11: five), and nothing of one case reaches the next. */
export async function dropDatabases(): Promise<void> {
  const answer = await fetch(`${server.url}/api/v3/configure/database?format=json`);
  const names = ((await answer.json()) as { "iox::database": string }[]).map((row) => row["iox::database"]);
  for (const name of names.filter((found) => !kept.has(found) && found !== "_internal")) {
    await fetch(`${server.url}/api/v3/configure/database?db=${name}`, { method: "DELETE" });
  }
}

/** A word no other case has. */
export const unique = (prefix: string): string => `${prefix}${++count}`;

const JSON_TYPE = { "content-type": "application/json" };

export async function send(method: string, path: string, json: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(server.url + path, { method, headers: JSON_TYPE, body: JSON.stringify(json) });
  return { status: response.status, text: await response.text() };
}

export async function write(database: string, lines: string): Promise<void> {
  const answer = await post(server, `/api/v3/write_lp?db=${database}&precision=nanosecond`, lines);
  if (answer.status !== 204) throw new Error(`${answer.status} ${answer.text}`);
}

export async function rows(database: string, sql: string): Promise<Record<string, unknown>[]> {
  const answer = await send("POST", "/api/v3/query_sql", { db: database, q: sql, format: "json" });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Record<string, unknown>[];
}

/** Stores a single file, or the files of a directory plugin, below the plugin folder. */
export async function store(files: string | Readonly<Record<string, string>>, name = unique("case_")): Promise<string> {
  const list = typeof files === "string" ? [[`${name}.py`, files] as const] : Object.entries(files).map(([path, text]) => [`${name}/${path}`, text] as const);
  for (const [path, content] of list) {
    const answer = await send("POST", "/api/v3/plugins/files", { plugin_name: path, content });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  }
  return typeof files === "string" ? `${name}.py` : name;
}

export interface Trigger {
  readonly name: string;
  readonly database: string;
  /** Log rows, oldest first, as `LEVEL text`. */
  logs(): Promise<string[]>;
  /** The same without the fixed first and last line of each run. */
  said(): Promise<string[]>;
  get(query?: string, headers?: Record<string, string>): Promise<Answer>;
  post(body: string | Uint8Array, options?: { readonly query?: string; readonly headers?: Record<string, string> }): Promise<Answer>;
  remove(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
  readonly bytes: Uint8Array;
  readonly headers: Headers;
}

export interface TriggerOptions {
  readonly arguments?: Readonly<Record<string, string>>;
  readonly errorBehavior?: "log" | "retry" | "disable";
  readonly database?: string;
  readonly runAsync?: boolean;
  /** Instead of those of the server's profile. */
  readonly grants?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string | number>>;
}

async function fetched(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(server.url + path, init);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get("content-type"), body: new TextDecoder().decode(bytes), bytes, headers: response.headers };
}

/** Creates a trigger of the plugin `file`; `request` becomes a path of its own. */
export async function createTrigger(file: string, specification: string, options: TriggerOptions = {}): Promise<Trigger> {
  const name = unique("trigger");
  const database = options.database ?? "conformance";
  const path = `${name}/path`;
  await send("POST", "/api/v3/configure/database", { db: database });
  const answer = await send("POST", "/api/v3/configure/processing_engine_trigger", {
    db: database,
    trigger_name: name,
    plugin_filename: file,
    trigger_specification: specification === "request" ? `request:${path}` : specification,
    trigger_settings: { run_async: options.runAsync ?? false, error_behavior: options.errorBehavior ?? "log" },
    trigger_arguments: options.arguments ?? null,
    disabled: false,
    grants: options.grants ?? null,
    limits: options.limits ?? null,
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const logs = async (): Promise<string[]> => {
    const found = await rows(database, `SELECT log_level, log_text FROM system.processing_engine_logs WHERE trigger_name = '${name}' ORDER BY event_time`);
    return found.map((row) => `${String(row["log_level"])} ${String(row["log_text"])}`);
  };
  return {
    name,
    database,
    logs,
    said: async () => (await logs()).filter((line) => !/^INFO (starting execution|finished execution in)/.test(line)),
    get: (query = "", headers = {}) => fetched(`/api/v3/engine/${path}${query}`, { headers }),
    post: (body, { query = "", headers = {} } = {}) => fetched(`/api/v3/engine/${path}${query}`, { method: "POST", body: body as NonNullable<RequestInit["body"]>, headers }),
    remove: async () => {
      const removed = await send("DELETE", "/api/v3/configure/processing_engine_trigger", { db: database, trigger_name: name, force: true });
      if (removed.status !== 200) throw new Error(`${removed.status} ${removed.text}`);
    },
  };
}

const indent = (body: string): string => body.replace(/^\n+|\s+$/g, "").split("\n").map((line) => `    ${line}`).join("\n");

/** A request plugin whose handler is `body`. */
export const handler = (body: string, before = ""): string =>
  `${before}\ndef process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):\n${indent(body)}\n`;

/** Runs `body` as the handler of a request trigger of its own and gives the answer. */
export async function request(body: string, options: TriggerOptions & { readonly before?: string } = {}): Promise<Answer> {
  const trigger = await createTrigger(await store(handler(body, options.before)), "request", options);
  try {
    return await trigger.get();
  } finally {
    await trigger.remove();
  }
}

/** What `expression` is in a request plugin, through JSON; `body` are statements before it. */
export async function evaluate(expression: string, body = "", options: TriggerOptions = {}): Promise<unknown> {
  const answer = await request(`${body}\nreturn ${expression}, {"Content-Type": "application/json"}`.trim(), options);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
  return JSON.parse(answer.body);
}

/** `Type: message` of what `statements` raise. */
export async function raised(statements: string, options: TriggerOptions = {}): Promise<string> {
  const { body } = await request(`try:\n${indent(statements)}\nexcept BaseException as problem:\n    return f"{type(problem).__qualname__}: {problem}"\nreturn "nothing was raised"`, options);
  return body;
}

/** Calls until `probe` gives something. */
export async function until<T>(what: string, probe: () => Promise<T | undefined>, msMax = 15_000): Promise<T> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Waited ${msMax} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Lines of the log once `ends` of them end a run; fails loudly when they do not come. */
export function finished(trigger: Trigger, ends = 1): Promise<string[]> {
  return until(`${ends} ended runs of ${trigger.name}`, async () => {
    const lines = await trigger.logs();
    const done = lines.filter((line) => line.startsWith("INFO finished execution in") || line.startsWith("ERROR error ")).length;
    return done >= ends ? lines : undefined;
  });
}

/** A WAL plugin whose entry point is `body`. */
export const onWrites = (body: string, before = ""): string => `${before}\ndef process_writes(influxdb3_local, table_batches, args=None):\n${indent(body)}\n`;

/** Writes `lines` into a database of its own with the WAL trigger of `body` on it and gives the ended run's log. */
export async function wal(body: string, lines: string, options: TriggerOptions & { readonly specification?: string; readonly before?: string; readonly schema?: string } = {}): Promise<{ trigger: Trigger; said: string[]; logs: string[] }> {
  const database = options.database ?? unique("waldb");
  if (options.schema !== undefined) await write(database, options.schema);
  const trigger = await createTrigger(await store(onWrites(body, options.before)), options.specification ?? "all_tables", { ...options, database });
  await write(database, lines);
  const logs = await finished(trigger);
  return { trigger, logs, said: await trigger.said() };
}

export interface Report {
  readonly log_lines: string[];
  readonly database_writes: Record<string, string[]>;
  readonly errors: string[];
  readonly trigger_time?: string | null;
}

export async function testRun(kind: "wal" | "schedule" | "request", json: object): Promise<Report & Record<string, unknown>> {
  const answer = await send("POST", `/api/v3/plugin_test/${kind}`, json);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return JSON.parse(answer.text) as Report & Record<string, unknown>;
}
