// Goal: when triggers fire, with which rows, and what becomes of failures. Method: the real runners on a virtual clock
// with a scripted plugin runtime; expectations from the design's §8.4 and spec processing-engine §6–§9.
import { DatabaseError } from "../../core/errors/database-error.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { PluginHost } from "../../ports/plugin-runtime.ts";
import { flushPromises } from "../../testing/virtual-clock.ts";
import { PROFILES } from "../../core/trigger/grants.ts";
import { done, raised, TriggerWorld } from "../../../test/support/trigger-world.ts";

let world: TriggerWorld;
beforeEach(() => {
  world = new TriggerWorld();
});

describe("a WAL trigger", () => {
  it("is called at once after idleness, then once per flush interval with all rows", async () => {
    await world.create("table:t7");
    world.commit(7);
    await flushPromises();
    expect(world.calls).toEqual([{ atMs: 0, rows: 1, tables: ["t7"] }]);
    await world.clock.advance(200);
    world.commit(7, 2);
    world.commit(7, 3);
    await world.clock.advance(700);
    expect(world.calls.length).toBe(1);
    await world.clock.advance(200);
    expect(world.calls[1]).toEqual({ atMs: 1000, rows: 5, tables: ["t7"] });
    await world.clock.advance(5000);
    world.commit(7);
    await flushPromises();
    expect(world.calls[2]).toEqual({ atMs: 6100, rows: 1, tables: ["t7"] });
  });

  it("is not called for other tables, nor for what was committed before it", async () => {
    world.commit(7);
    await world.create("table:t7");
    world.commit(8);
    await world.clock.advance(3000);
    expect(world.calls).toEqual([]);
  });

  it("gets several tables in the order of their first write", async () => {
    await world.create("all_tables");
    for (const table of [3, 1, 3, 2]) world.commit(table);
    await flushPromises();
    expect(world.calls[0]?.tables).toEqual(["t3", "t1", "t2"]);
  });

  it("warns once after ten flushes caused by itself, and is never hotter than the flush interval", async () => {
    world.script = async () => {
      world.commit(9, 1, "1/0");
      return done;
    };
    await world.create("all_tables");
    world.commit(7);
    await world.clock.advance(20_500);
    expect(world.calls.length).toBe(21);
    expect(world.texts("WARN").filter((text) => text.includes("fired by its own writes in 10 flushes"))).toHaveLength(1);
  });

  it("never runs two calls at a time", async () => {
    let release: (() => void) | undefined;
    world.script = () => new Promise((resolve) => (release = () => resolve(done)));
    await world.create("all_tables");
    world.commit(1);
    await flushPromises();
    world.commit(1);
    await world.clock.advance(10_000);
    expect(world.calls.length).toBe(1);
    release?.();
    await flushPromises();
    expect(world.calls.length).toBe(2);
  });

  it("writes back what the plugin collected, per database, with its own origin", async () => {
    world.access.grants = PROFILES.trusted;
    world.script = async () => ({ kind: "done", writes: [{ database: undefined, lines: "a f=1" }, { database: "other", lines: "b f=2" }, { database: undefined, lines: "c f=3" }] });
    await world.create("all_tables");
    world.commit(1);
    await flushPromises();
    expect(world.writes).toEqual([
      { database: "db", lines: "a f=1\nc f=3", noSync: false, origin: "1/0" },
      { database: "other", lines: "b f=2", noSync: false, origin: "1/0" },
    ]);
    expect(world.texts("INFO")[0]).toBe("starting execution of wal plugin.");
    expect(world.texts("INFO")[1]).toMatch(/^finished execution in /);
  });
});

describe("an asynchronous WAL trigger", () => {
  it("starts a flush while earlier ones run, up to its instances, then waits", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve(done)));
    await world.create("all_tables", "log", { runAsync: true });
    for (let flush = 0; flush < 12; flush++) {
      world.commit(1);
      await world.clock.advance(1000);
    }
    expect(world.calls.length).toBe(8);
    expect(world.instances.length).toBe(8);
    releases.shift()?.();
    await world.clock.advance(1000);
    // One place is free, and what waited comes as one flush.
    expect(world.calls.map((call) => call.rows)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 4]);
    for (const release of releases) release();
    await world.clock.advance(20_000);
    // Siblings that were idle are gone; the primary stays.
    expect(world.closed).toBe(7);
  });

  it("a durable one is never past a run that has not ended", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve(done)));
    await world.create("all_tables", "log", { runAsync: true, durable: true });
    for (let flush = 0; flush < 3; flush++) {
      world.commit(1);
      await world.clock.advance(1000);
    }
    expect(world.positions).toEqual([0]);
    releases[1]?.();
    await flushPromises();
    expect(world.positions).toEqual([0]);
    releases[0]?.();
    await flushPromises();
    expect(world.positions).toEqual([0, 2]);
    releases[2]?.();
    await flushPromises();
    expect(world.positions).toEqual([0, 2, 3]);
  });
});

describe("error behaviour", () => {
  it("log: one ERROR row with the traceback, and on with the next event", async () => {
    world.script = async () => raised;
    await world.create("all_tables");
    world.commit(1);
    await world.clock.advance(1);
    expect(world.engine.statistics()[0]?.counters).toMatchObject({ runs: 1, errors: 1, lastError: "error executing wal plugin: ValueError: no", lastErrorNs: world.clock.nowNs() - 1_000_000n });
    expect(world.logs.rows().find(({ level }) => level === "ERROR")).toMatchObject({ database: "db", traceback: 'Traceback\n  File "p.py", line 3', runId: "1" });
    expect(world.texts("ERROR")).toEqual(['error executing wal plugin: ValueError: no\nTraceback\n  File "p.py", line 3']);
    world.commit(1);
    await world.clock.advance(1000);
    expect(world.calls.length).toBe(2);
  });

  it("a call that finds no memory for an instance is an error like any other", async () => {
    world.script = () => Promise.reject(new DatabaseError("plugin.memory_limit", { message: "The plugins take 9 of 10 bytes together, and one more needs 9" }));
    await world.create("all_tables");
    world.commit(1);
    await world.clock.advance(1);
    expect(world.texts("ERROR")).toEqual(["error executing wal plugin: The plugins take 9 of 10 bytes together, and one more needs 9"]);
    world.script = async () => raised;
    world.commit(1);
    await world.clock.advance(1000);
    expect(world.calls.length).toBe(2);
  });

  it("retry: same rows again with growing pauses, then gives up", async () => {
    world.script = async () => raised;
    await world.create("all_tables", "retry");
    world.commit(1, 4);
    await world.clock.advance(600_000);
    expect(world.calls.map((call) => call.rows)).toEqual(Array.from({ length: 10 }, () => 4));
    const pauses = world.calls.slice(1).map((call, index) => call.atMs - (world.calls[index]?.atMs ?? 0));
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600]);
    expect(world.texts("ERROR")[0]).toContain("gave up after 10 attempts");
  });

  it("disable: persisted and logged", async () => {
    world.script = async () => raised;
    await world.create("all_tables", "disable");
    world.commit(1);
    await world.clock.advance(1);
    expect(world.triggers.get("trigger")?.disabled).toBe(true);
    expect(world.texts("ERROR")[0]).toContain("ValueError: no");
    world.commit(1);
    await world.clock.advance(5000);
    expect(world.calls.length).toBe(1);
  });

  it("a time limit is an error that names the limit", async () => {
    world.script = async () => ({ kind: "stopped", reason: "time-limit", level: "hard", cacheKeysLost: 3 });
    await world.create("all_tables");
    world.commit(1);
    await world.clock.advance(1);
    expect(world.texts("ERROR")[0]).toContain("time limit of 30000 ms");
    expect(world.texts("WARN")[0]).toContain("lost 3 keys");
  });
});

describe("limits and grants of a trigger", () => {
  it("are the server's, with its own in their place, in the sandbox and in the run", async () => {
    let wallTime: number | undefined;
    world.script = async (_invocation, _host, options) => ((wallTime = options.wallTimeMsMax), done);
    await world.create("all_tables", "log", { limits: { time: 5_000, memory: 67_108_864 }, grants: { scratch: 1_000, env: ["KEY", "ABSENT"] } });
    world.commit(1);
    await flushPromises();
    expect(wallTime).toBe(5_000);
    expect(world.instances[0]).toMatchObject({ memoryBytesMax: 67_108_864, responseBytesMax: 10_485_760, scratchBytesMax: 1_000, environment: [["KEY", "secret"]] });
  });

  it("change by an update, which starts the trigger anew; what is not named stays, undefined goes back", async () => {
    await world.create("all_tables", "log", { limits: { time: 5_000, queries: 3 }, grants: { db: ["a"] } });
    await world.engine.updateTrigger({ database: "db", triggerName: "trigger", limits: { time: undefined, memory: 67_108_864 }, grants: { scratch: 5 } });
    expect(world.triggers.get("trigger")).toMatchObject({ limits: { queries: 3, memory: 67_108_864 }, grants: { db: ["a"], scratch: 5 } });
    expect(world.triggers.get("trigger")?.limits).not.toHaveProperty("time");
    expect(world.instances.map(({ memoryBytesMax }) => memoryBytesMax)).toEqual([268_435_456, 67_108_864]);
  });

  async function refusalOf(call: (host: PluginHost) => unknown): Promise<unknown> {
    let refusal: unknown;
    world.script = async (_invocation, host) => {
      for (let again = 0; again < 2; again += 1) {
        try {
          await call(host);
        } catch (error) {
          refusal = error;
        }
      }
      return done;
    };
    await world.create("all_tables");
    world.commit(1);
    await flushPromises();
    return refusal;
  }

  it.each<[string, string, (host: PluginHost) => unknown]>([
    ["db", "the database 'other' is not granted to this trigger (grant it with --allow-db other on create trigger or update trigger)", (host) => host.query("SELECT 1", [], "other")],
    ["db", "the database 'other' is not granted to this trigger (grant it with --allow-db other on create trigger or update trigger)", (host) => host.writeSync("other", "a f=1", true)],
    ["net", "the network address example.org:443 is not granted to this trigger (grant it with --allow-net example.org:443 on create trigger or update trigger)", (host) => host.checkGrant("net", "example.org:443")],
    ["sys", "the system metrics group cpu is not granted to this trigger (grant it with --allow-sys cpu on create trigger or update trigger)", (host) => host.systemMetrics("cpu")],
    ["scratch", "scratch space is not granted to this trigger (grant it with --allow-scratch 16mb on create trigger or update trigger)", (host) => host.checkGrant("scratch", "/tmp")],
    ["env", "the environment variable KEY is not granted to this trigger (grant it with --allow-env KEY on create trigger or update trigger)", (host) => host.checkGrant("env", "KEY")],
  ])("deny %s with the grant and its flag, to the plugin and once per run to the log", async (grant, text, call) => {
    expect(await refusalOf(call)).toMatchObject({ kind: "denied", message: text });
    expect(world.texts("WARN")).toEqual([`denied: ${text}`]);
    expect(world.engine.statistics()[0]?.counters.denied).toEqual({ [grant]: 1 });
    expect(world.writes).toEqual([]);
  });

  it("let through what was granted, and the trigger's own database always", async () => {
    world.access.grants = { net: ["self"], env: [], scratch: 1, sys: ["disk"], db: ["other"], files: [] };
    const refusal = await refusalOf(async (host) => {
      await host.query("SELECT 1", [], "db");
      await host.query("SELECT 1", [], undefined);
      await host.writeSync("other", "a f=1", true);
      host.checkGrant("net", "127.0.0.1:8181");
      host.checkGrant("scratch", "");
      expect(new TextDecoder().decode(host.systemMetrics("disk"))).toBe('{"group":"disk"}');
    });
    expect(refusal).toBeUndefined();
  });

  it("keep buffered lines for a database that was not granted from being written, and log it", async () => {
    world.script = async () => ({ kind: "done", writes: [{ database: "other", lines: "b f=2" }] });
    await world.create("all_tables");
    world.commit(1);
    await flushPromises();
    expect(world.writes).toEqual([]);
    expect(world.texts("ERROR")).toEqual([expect.stringMatching(/^error running wal plugin: error writing back lines to other: the database 'other' is not granted/)]);
  });

  it("log and count a limit that was met, once per run", async () => {
    world.script = async (_invocation, host) => {
      for (let call = 0; call < 5; call += 1) await host.query("SELECT 1", [], undefined).catch(() => undefined);
      return done;
    };
    await world.create("all_tables", "log", { limits: { queries: 2 } });
    world.commit(1);
    await flushPromises();
    expect(world.texts("WARN")).toEqual(["limit met: one run makes at most 2 queries"]);
    expect(world.engine.statistics()[0]?.counters.limitsMet).toEqual({ queries: 1 });
  });
});
