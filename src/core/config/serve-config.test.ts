import { describe, expect, it } from "vitest";
import { parseTriggerSpecification } from "../trigger/specification.ts";
import { allowsTrigger, parseServeConfig, type ServeConfig, type ServeSettings } from "./serve-config.ts";

const settings = (values: Record<string, string | true>): ServeSettings => ({
  text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
  list: (name) => (typeof values[name] === "string" ? values[name].split(",") : []),
  isSet: (name) => values[name] !== undefined,
  count: (name) => (values[name] === true ? 1 : 0),
});

const parse = (values: Record<string, string | true>, defaultAuthentication: "tokens" | "this-machine" = "tokens"): ServeConfig =>
  parseServeConfig(settings({ "node-id": "node0", ...values }), {
    defaultDataDir: "/home/u/.influxdb",
    defaultNodeId: undefined,
    logIsTerminal: false,
    defaultAuthentication,
    resolvePath: (path) => (path.startsWith("/") ? path : `/here/${path}`),
    env: (name) => (name === "NODE" ? "from-env" : undefined),
  });

describe("the plugin repository", () => {
  it.each(["https://example.org/plugins/", "http://127.0.0.1:8080", "https://example.org"])("%s is taken", (url) => expect(parse({ "plugin-repo": url }).pluginRepo).toBe(url));
  it.each(["example.org", "ftp://example.org", "https://example.org/?a=b", "https://", "https://a b"])("%s is refused", (url) => expect(() => parse({ "plugin-repo": url })).toThrow("is not a URL"));
});

describe("parseServeConfig()", () => {
  it("runs the tutorial's own line (spec: cli §16)", () =>
    expect(parse({ "object-store": "file", "plugin-dir": "/home/u/.plugins" })).toMatchObject({
      nodeId: "node0",
      objectStore: { kind: "file", dataDir: "/home/u/.influxdb" },
      pluginDir: "/home/u/.plugins",
      bind: { host: "0.0.0.0", port: 8181 },
      authentication: "tokens",
      walFlushIntervalMs: 1000,
      httpRequestSizeMax: 10_485_760,
    }));

  it("reads the bounds of queries, and leaves the rest to the engine", () => {
    expect(parse({}).query).toEqual({ timeoutMs: undefined, concurrentMax: undefined, filesMax: undefined, logEntriesMax: undefined });
    const given = { "query-timeout": "1m30s", "max-concurrent-queries": "4", "query-file-limit": "432", "query-log-size": "10" };
    expect(parse(given).query).toEqual({ timeoutMs: 90_000, concurrentMax: 4, filesMax: 432, logEntriesMax: 10 });
  });

  it("puts the plugin folder into the data folder (design §8.16)", () => {
    expect(parse({ "data-dir": "d" }).pluginDir).toBe("/here/d/plugins");
    expect(parse({ "object-store": "memory" })).toMatchObject({ objectStore: { kind: "memory" }, pluginDir: undefined });
  });

  it("takes the node id from a variable, and names an unset one (spec: cli §3.1)", () => {
    expect(parseServeConfigFromEnv("NODE").nodeId).toBe("from-env");
    expect(() => parseServeConfigFromEnv("UNSET")).toThrow(
      "Must set INFLUXDB3_NODE_IDENTIFIER_PREFIX=UNSET to a valid env var value for the node id",
    );
  });

  it.each(["../up", "a/b", "", ".hidden", "a\u0000b"])("refuses the node id %j, which would be a path", (id) =>
    expect(() => parse({ "node-id": id })).toThrow(/node id/),
  );

  it("listens beyond this machine only with tokens or on the user's word", () => {
    expect(() => parse({ "http-bind": "0.0.0.0:8181" }, "this-machine")).toThrow('Refused to listen on "0.0.0.0:8181"');
    expect(parse({}, "this-machine")).toMatchObject({ bind: { host: "127.0.0.1" }, authentication: "this-machine" });
    expect(parse({ "http-bind": "0.0.0.0:8181", "without-auth": true }, "this-machine")).toMatchObject({ bind: { host: "0.0.0.0" }, authentication: "none" });
    expect(parse({ "without-auth": true })).toMatchObject({ bind: { host: "127.0.0.1" }, authentication: "none" });
  });

  it("knows the paths that need no token (spec: http-api §3.3)", () => {
    expect([...parse({ "disable-authz": "health,ping,ready" }).openPaths]).toEqual(["/health", "/api/v1/health", "/ping"]);
    expect(() => parse({ "disable-authz": "write" })).toThrow('"write" cannot be named in --disable-authz');
  });

  it.each([
    [{ "http-bind": "8181" }, 'Failed to bind address "8181"'],
    [{ "object-store": "s3" }, "Cannot parse object store config:"],
    [{ "wal-flush-interval": "1" }, "The WAL flush interval"],
    [{ "wal-flush-interval": "0s" }, "The WAL flush interval"],
    [{ "wal-ring-size": "big" }, '"big" is not a size for --wal-ring-size'],
    [{ "plugin-time-limit": "0s" }, '"0s" is not a duration'],
    [{ "shutdown-timeout": "2h" }, '"2h" is not a duration of at most 1h for --shutdown-timeout'],
    [{ "plugin-threads-max": "0" }, '"0" is not a positive number'],
    [{ "restrict-plugin-triggers-to": "wal,cron" }, '"cron" is not a kind of trigger'],
  ] as const)("refuses %j", (values, message) => expect(() => parse(values)).toThrow(message));

  it.each([
    [{ "log-filter": "warn" }, "warn"],
    [{ "log-filter": "iox_query=warn,debug" }, "debug"],
    [{ "log-filter": "info,iox_query::query_log=warn" }, "info"],
    [{ "log-filter": "warn", verbose: true }, "info"],
    [{}, "info"],
  ] as const)("reads the log level of %j", (values, level) => expect(parse(values).log.level).toBe(level));
});

const parseServeConfigFromEnv = (name: string): ServeConfig =>
  parseServeConfig(settings({ "node-id-from-env": name }), {
    defaultDataDir: "/d",
    defaultNodeId: undefined,
    logIsTerminal: false,
    defaultAuthentication: "tokens",
    resolvePath: (path) => path,
    env: (variable) => (variable === "NODE" ? "from-env" : undefined),
  });

describe("allowsTrigger()", () => {
  it("knows the reference's words for the kinds (spec: cli §3.1)", () => {
    const config = parse({ "restrict-plugin-triggers-to": "wal_flush,request" });
    expect(allowsTrigger(config, parseTriggerSpecification("all_tables"))).toBe(true);
    expect(allowsTrigger(config, parseTriggerSpecification("request:x"))).toBe(true);
    expect(allowsTrigger(config, parseTriggerSpecification("every:1s"))).toBe(false);
    expect(allowsTrigger(parse({}), parseTriggerSpecification("every:1s"))).toBe(true);
  });
});

it.each([[{}, 1_500], [{ "shutdown-timeout": "30s" }, 30_000], [{ "shutdown-timeout": "0s" }, 0]] as const)("time to stop in: %j", (values, expected) => {
  expect(parse(values).shutdownTimeoutMs).toBe(expected);
});

describe("limits of the catalog and times of deletion", () => {
  it("are the reference's without flags, and what the flags say", () => {
    expect(parse({}).catalogLimits).toEqual({});
    expect(parse({ "num-database-limit": "50", "num-table-limit": "9000", "num-total-columns-per-table-limit": "200" }).catalogLimits).toEqual({ databasesMax: 50, tablesMax: 9000, columnsPerTableMax: 200 });
    expect(parse({ "retention-check-interval": "10m", "hard-delete-default-duration": "90d", "delete-grace-period": "1h" })).toMatchObject({
      retentionCheckMs: 600_000, hardDeleteAfterNs: 7_776_000_000_000_000n, deleteGraceNs: 3_600_000_000_000n,
    });
    expect(() => parse({ "delete-grace-period": "soon" })).toThrow('"soon" is not a duration for --delete-grace-period');
  });
});

describe("limits and grants of plugins", () => {
  it("are strict and the design's without flags", () =>
    expect(parse({})).toMatchObject({ pluginLimits: {}, pluginGrants: { net: [], env: [], scratch: 0, sys: [], db: [], files: [] }, pluginIsolation: undefined, pluginClockResolutionNs: 1_000n }));

  it("come from the profile, flags for single grants, and either spelling of a limit", () => {
    expect(parse({ "plugin-profile": "trusted", "allow-net": "none", "plugin-limit": "queries=5,time=2s", "plugin-memory-limit": "64mb" })).toMatchObject({
      pluginLimits: { queries: 5, time: 2_000, memory: 67_108_864 },
      pluginGrants: { net: [], env: [], scratch: 67_108_864, db: ["*"] },
    });
    expect(parse({ "plugin-isolation": "process", "plugin-executors": "3", "plugin-clock-resolution": "1ms" })).toMatchObject({
      pluginIsolation: "process", pluginExecutors: 3, pluginClockResolutionNs: 1_000_000n,
    });
  });

  it.each([["plugin-limit", "speed=1"], ["allow-env", "*"], ["allow-scratch", "lots"], ["plugin-clock-resolution", "2s"], ["plugin-clock-resolution", "0"]])("refuse --%s %s", (name, value) =>
    expect(() => parse({ [name]: value })).toThrow());
});
