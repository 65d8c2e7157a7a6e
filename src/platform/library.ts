/** The database as a library: the same engine as the server's, without HTTP, in this process. */
import { parseDuration } from "../core/config/humantime.ts";
import { parseServeConfig, type ServeConfig, type ServeSettings } from "../core/config/serve-config.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { QueryStream, ResultValue } from "../core/query/query-stream.ts";
import type { Database, OpenOptions, Parameters, PluginAnswer, PluginRequest, Row, TriggerOptions, Value, WriteOptions } from "./library-api.ts";
import { openNode, type RunningNode } from "./serve.ts";

const MEMORY = "memory:";
const DEFAULT_NODE_ID = "local";

/**
 * Opens a database in a folder, which is created when it is missing, or in memory (`memory:`, gone when it is closed).
 * Throws `server.*`, `catalog.*`, `wal.corrupt`: each message says what to do.
 *
 * ```ts
 * await using db = await open("./data");
 * await db.write("home", "room,name=kitchen temp=21.5");
 * const rows = await db.query("home", "SELECT name, temp FROM room");
 * ```
 */
export async function open(location: string, options: OpenOptions = {}): Promise<Database> {
  const { log = (): void => undefined } = options;
  const node = await openNode(configOf(location, options), { stdout: log, stderr: log, env: (name) => process.env[name] });
  await node.startTriggers();
  return new LibraryDatabase(node);
}

function configOf(location: string, { nodeId, pluginDir, settings = {} }: OpenOptions): ServeConfig {
  const store: Record<string, string> = location === MEMORY ? { "object-store": "memory" } : { "object-store": "file", "data-dir": location };
  const given: Record<string, string | number | boolean> = { ...settings, ...store, ...(pluginDir === undefined ? {} : { "plugin-dir": pluginDir }), "node-id": nodeId ?? DEFAULT_NODE_ID };
  const texts: ServeSettings = {
    text: (name) => (given[name] === undefined || typeof given[name] === "boolean" ? undefined : String(given[name])),
    list: (name) => (typeof given[name] === "string" ? given[name].split(",") : []),
    isSet: (name) => given[name] !== undefined && given[name] !== false,
    count: (name) => (given[name] === true ? 1 : 0),
  };
  return parseServeConfig(texts, {
    defaultDataDir: location,
    defaultNodeId: DEFAULT_NODE_ID,
    logIsTerminal: false,
    defaultAuthentication: "this-machine",
    resolvePath: (path) => (path.startsWith("/") ? path : `${process.cwd()}/${path}`),
    env: (name) => process.env[name],
  });
}

class LibraryDatabase implements Database {
  readonly #node: RunningNode;
  #closing: Promise<void> | undefined;

  constructor(node: RunningNode) {
    this.#node = node;
  }

  async write(database: string, lines: string | Uint8Array, { precision = "auto", acceptPartial = true, noSync = false }: WriteOptions = {}): Promise<{ readonly linesWritten: number }> {
    const isText = typeof lines === "string";
    const body = isText ? new TextEncoder().encode(lines) : lines;
    const { linesWritten } = await this.#open.storage.write({ database, body, precision, acceptPartial, noSync, utf8Checked: isText });
    return { linesWritten };
  }

  async query(database: string, sql: string, parameters?: Parameters): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of this.stream(database, sql, parameters)) rows.push(row);
    return rows;
  }

  async *stream(database: string, sql: string, parameters: Parameters = {}): AsyncGenerator<Row> {
    const stream = await this.#open.services.queries.query({ database, sql, parameters: new Map(Object.entries(parameters)) });
    try {
      yield* rowsOf(stream);
    } finally {
      await stream.close();
    }
  }

  async createDatabase(name: string, { retention }: { readonly retention?: string } = {}): Promise<void> {
    const retentionNs = retention === undefined ? undefined : parseDuration(retention);
    if (retention !== undefined && retentionNs === undefined) {
      throw new DatabaseError("request.invalid", { message: `Cannot parse the given human time: ${retention}`, hint: "write a number and a unit, as in 30d or 12h" });
    }
    await this.#open.catalog.createDatabase(name, retentionNs === undefined ? {} : { retentionNs });
  }

  async deleteDatabase(name: string): Promise<void> {
    await this.#open.catalog.deleteDatabase(name);
  }

  async createTrigger({ database, name, plugin, specification, arguments: given, runAsync = false, errorBehavior = "log", disabled = false, durable = false }: TriggerOptions): Promise<void> {
    await this.#open.processing.engine.createTrigger({
      database, triggerName: name, pluginFileName: plugin, specification, runAsync, errorBehavior, disabled, durable,
      arguments: given === undefined ? undefined : Object.entries(given),
    });
  }

  enableTrigger(database: string, name: string): Promise<void> {
    return this.#open.services.processing.setTriggerEnabled(database, name, true);
  }

  disableTrigger(database: string, name: string): Promise<void> {
    return this.#open.services.processing.setTriggerEnabled(database, name, false);
  }

  deleteTrigger(database: string, name: string): Promise<void> {
    return this.#open.services.processing.deleteTrigger(database, name, true);
  }

  request(path: string, { query = {}, headers = {}, body = "" }: PluginRequest = {}): Promise<PluginAnswer | undefined> {
    const lowerCase = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
    return this.#open.services.processing.request({
      path, query: Object.entries(query), headers: lowerCase, body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    });
  }

  async snapshot(): Promise<void> {
    await this.#open.storage.snapshotNow();
  }

  close(): Promise<void> {
    this.#closing ??= this.#node.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Throws after `close()`. */
  get #open(): RunningNode {
    if (this.#closing === undefined) return this.#node;
    throw new DatabaseError("wal.closed", { message: "The database is closed", hint: "open it again" });
  }
}

async function* rowsOf({ columns, batches }: QueryStream): AsyncGenerator<Row> {
  for await (const batch of batches) {
    for (let index = 0; index < batch.rowCount; index++) {
      yield Object.fromEntries(columns.map(({ name }, column) => [name, valueOf(batch.columns[column]?.[index] ?? null)]));
    }
  }
}

const valueOf = (value: ResultValue): Value => value as Value;
