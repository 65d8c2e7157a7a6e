/** Services that remember what they were asked and answer what a test tells them; the app in front of them is real. */
import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { DatabaseError } from "../../../src/core/errors/database-error.ts";
import type { QueryStream, ResultBatch, ResultValue } from "../../../src/core/query/query-stream.ts";
import { UTF8 } from "../../../src/core/query/types.ts";
import type { OwnGrants } from "../../../src/core/trigger/grants.ts";
import type { NeededPackages, PluginPlace } from "../../../src/engine/packages/package-api.ts";
import type { EdgeOptions } from "../../../src/http/route.ts";
import type { EngineResponse, Services } from "../../../src/http/services.ts";
import { transport, type Answer } from "./transport.ts";

export const CLUSTER_UUID = "0d1ba6a4-3b29-4b57-8b5f-6f0e3b4f2a11";
const ISSUED = { definition: { id: 1, name: "_admin", hash: "ab", createdMs: 1_000n }, text: "apiv3_x" };
const BODY_SIZE_MAX = 10_485_760;

export interface FakeWorld {
  readonly services: Services;
  readonly options: EdgeOptions;
  /** Every call, as `name` and its arguments. */
  readonly calls: (readonly [name: string, ...args: unknown[]])[];
  /** Thrown by the next call of that name. */
  readonly failures: Map<string, unknown>;
  rows: readonly (readonly ResultValue[])[];
  engineResponse: EngineResponse | undefined;
  askedGrants: OwnGrants;
  likelyGrants: OwnGrants;
  needed: NeededPackages;
  /** What it was asked for. */
  readonly neededFor: PluginPlace[];
}

/** What reports of test runs hold beside the reference's members, for a run that cost nothing. */
export const NO_COST = { traceback: null, error_file: null, error_line: null, duration_ms: 0, memory_bytes: 0 };

export function fakeWorld(overrides: Partial<EdgeOptions> = {}): FakeWorld {
  const calls: FakeWorld["calls"] = [];
  const failures = new Map<string, unknown>();
  const record = <Result>(name: string, result: () => Result) => (...args: unknown[]): Promise<Result> => {
    calls.push([name, ...args]);
    const failure = failures.get(name);
    return failure === undefined ? Promise.resolve(result()) : Promise.reject(failure as Error);
  };
  const nothing = (): void => undefined;
  const world: FakeWorld = {
    calls,
    failures,
    rows: [],
    engineResponse: undefined,
    askedGrants: {},
    likelyGrants: {},
    needed: { missing: [], command: undefined, refusal: undefined, problems: [] },
    neededFor: [],
    services: {
      clusterUuid: CLUSTER_UUID,
      version: { influxdb: "3.10.0", tidemark: "0.1.0", revision: "abc" },
      metrics: { collect: () => [{ name: "tidemark_lines_total", help: "Lines", type: "counter", samples: [{ labels: { db: 'a"b' }, value: 3 }] }] },
      storage: { write: record("write", nothing) },
      queries: { query: record("query", () => streamOf(world.rows)) },
      catalog: {
        state: {
          databasesById: new Map([
            [0, { name: "_internal", deleted: false }],
            [2, { name: "zoo", deleted: false }],
            [3, { name: "bar", deleted: false }],
            [4, { name: "old-20260101T000000", deleted: true }],
          ]),
        },
        createDatabase: record("createDatabase", nothing),
        deleteDatabase: record("deleteDatabase", nothing),
        setRetention: record("setRetention", nothing),
        createTable: record("createTable", nothing),
        deleteTable: record("deleteTable", nothing),
        setTableRetention: record("setTableRetention", nothing),
      },
      packages: {
        install: record("installPackages", () => ({ installed: [{ name: "a", version: "1.0", before: undefined }], removed: [], unchanged: [], notes: [], dryRun: false })),
        neededBy: async (place) => {
          world.neededFor.push(place);
          return world.needed;
        },
        installFor: record("installFor", () => ({ installed: [{ name: "a", version: "1.0", before: undefined }], removed: [], unchanged: [], notes: [], dryRun: false })),
        uninstall: record("uninstallPackages", () => ({ installed: [], removed: [{ name: "a", version: "1.0" }], unchanged: [], notes: [], dryRun: false })),
      },
      tokens: {
        createOperator: record("createOperator", () => ISSUED),
        regenerateOperator: record("regenerateOperator", () => ISSUED),
        createNamed: record("createNamed", () => ISSUED),
        delete: record("deleteToken", nothing),
      },
      caches: {
        createLast: record("createLast", () => ({ name: "made" })),
        createDistinct: record("createDistinct", () => ({ cache_name: "made" })),
        delete: record("deleteCache", nothing),
      },
      processing: {
        createTrigger: record("createTrigger", nothing),
        updateTrigger: record("updateTrigger", nothing),
        askedGrants: async () => world.askedGrants,
        likelyGrants: async () => world.likelyGrants,
        deleteTrigger: record("deleteTrigger", nothing),
        setTriggerEnabled: record("setTriggerEnabled", nothing),
        testSchedule: record("testSchedule", () => ({ trigger_time: "2026-01-01T00:00:01Z", log_lines: ["INFO: x"], database_writes: {}, errors: [], ...NO_COST })),
        testRequest: record("testRequest", () => ({ log_lines: ["INFO: x"], database_writes: {}, errors: [], ...NO_COST, response: { status: 200, headers: {}, body: "x" } })),
        testWal: record("testWal", () => ({ log_lines: ["INFO: x"], database_writes: { db: ["a b=1"] }, errors: [], ...NO_COST })),
        request: record("request", () => world.engineResponse),
        createPluginFile: record("createPluginFile", nothing),
        updatePluginFile: record("updatePluginFile", nothing),
        updatePluginFolder: record("updatePluginFolder", nothing),
      },
    },
    options: {
      bodySizeMax: BODY_SIZE_MAX,
      gunzip: inflate,
      isUtf8: (bytes) => isUtf8(bytes),
      newRequestId: () => "01890a5d-ac96-774b-bcce-b302099a8057",
      processId: "7a5a5f6e-0c1f-4a3c-9d7c-0f9a2d5b7c11",
      log: { log: () => undefined },
      monotonicMs: () => 0,
      ...overrides,
    },
  };
  return world;
}

const inflate = (bytes: Uint8Array, sizeMax: number): Promise<Uint8Array | undefined> => {
  try {
    const result = gunzipSync(bytes);
    return Promise.resolve(result.length > sizeMax ? undefined : result);
  } catch (error) {
    return Promise.reject(error as Error);
  }
};

export function streamOf(rows: readonly (readonly ResultValue[])[]): QueryStream {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, index) => rows.map((row) => row[index] ?? null));
  const batch: ResultBatch = { rowCount: rows.length, columns };
  return {
    columns: columns.map((_, index) => ({ name: `c${index}`, type: "Utf8", sqlType: UTF8 })),
    batches: (async function* () {
      yield batch;
    })(),
    close: () => Promise.resolve(),
  };
}

export const failure = (code: ConstructorParameters<typeof DatabaseError>[0], message: string, details?: Record<string, unknown>, hint?: string): DatabaseError =>
  new DatabaseError(code, { message, ...(details === undefined ? {} : { details }), ...(hint === undefined ? {} : { hint }) });

/** Sends `POST /path` and the like through the real app. */
export const send = (world: FakeWorld, line: string, init: RequestInit = {}): Promise<Answer> => transport().ask(world, line, init);

export const json = (value: unknown): RequestInit => ({
  body: typeof value === "string" ? value : JSON.stringify(value),
  headers: { "content-type": "application/json" },
});
