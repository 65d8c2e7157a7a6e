// Goal: when triggers fire, with which rows, and what becomes of failures. Method: the real runners on a virtual clock
// with a scripted plugin runtime; expectations from the design's §8.4 and spec processing-engine §6–§9.
import { DatabaseError } from "../../core/errors/database-error.ts";
import { beforeEach, describe, expect, it } from "vitest";
import type { DatabaseDefinition, TriggerDefinition } from "../../core/catalog/definitions.ts";
import { decodeTableBatch, encodeTableBatch } from "../../core/columns/table-batch.ts";
import type { InstanceLimits, Invocation, PluginHost, PluginInstance, RunOptions, RunOutcome } from "../../ports/plugin-runtime.ts";
import { anyPlugin } from "../../testing/any-plugin.ts";
import { noNetwork } from "../../testing/no-network.ts";
import { flushPromises, VirtualClock } from "../../testing/virtual-clock.ts";
import { GapTable } from "./gap-table.ts";
import { GlobalCache } from "./global-cache.ts";
import { PROCESSING_LIMITS } from "./limits.ts";
import { LogTable } from "./log-table.ts";
import { ProcessingEngine, type ProcessingCatalog } from "./processing-engine.ts";
import type { CommittedBatch } from "../../core/buffer/queryable-buffer.ts";
import { PROFILES, type TriggerGrants } from "../../core/trigger/grants.ts";
import { OpenConnections } from "./open-connections.ts";
import { Runs } from "./runs.ts";
import type { PluginAccess, PluginWrite } from "./services.ts";

type Run = (invocation: Invocation, host: PluginHost, options: RunOptions) => Promise<RunOutcome>;

const done: RunOutcome = { kind: "done", writes: [] };
const raised: RunOutcome = { kind: "raised", inEntryPoint: true, typeName: "ValueError", message: "no", traceback: "Traceback\n  File \"p.py\", line 3", cacheKeysLost: 0, outOfMemory: false };

class World {
  readonly clock = new VirtualClock();
  readonly logs = new LogTable(this.clock, 100);
  readonly calls: { atMs: number; rows: number; tables: string[] }[] = [];
  readonly writes: PluginWrite[] = [];
  readonly positions: number[] = [];
  runIds = 0;
  closed = 0;
  readonly triggers = new Map<string, TriggerDefinition>();
  script: Run = async () => done;
  readonly instances: InstanceLimits[] = [];
  readonly access: PluginAccess & { grants: TriggerGrants } = {
    grants: PROFILES.strict,
    environment: (name) => (name === "KEY" ? "secret" : undefined),
    isSelf: (host, port) => host === "127.0.0.1" && port === 8181,
    isClosed: () => false,
    systemMetrics: (group) => `{"group":"${group}"}`,
  };
  #listeners: ((rows: CommittedBatch) => void)[] = [];
  #committed: CommittedBatch[] = [];
  engine: ProcessingEngine;

  constructor() {
    const database: DatabaseDefinition = { id: 1, name: "db", deleted: false, tables: new Map(), deletedTables: new Map(), triggers: this.triggers };
    const catalog: ProcessingCatalog = {
      database: (name) => (name === "db" ? database : undefined),
      databases: () => [database],
      createTrigger: async (_db, definition) => void this.triggers.set(definition.name, { id: this.triggers.size, ...definition }),
      deleteTrigger: async (_db, name) => void this.triggers.delete(name),
      setTriggerDisabled: async (_db, name, disabled) => void this.triggers.set(name, { ...(this.triggers.get(name) as TriggerDefinition), disabled }),
      updateTrigger: async (_db, name, settings) => void this.triggers.set(name, { ...(this.triggers.get(name) as TriggerDefinition), ...settings }),
    };
    const world = this;
    this.engine = new ProcessingEngine(
      {
        clock: this.clock, logs: this.logs, gaps: new GapTable(this.clock), runs: new Runs(() => String((this.runIds += 1))), limits: PROCESSING_LIMITS, access: this.access, sparseRows: false,
        network: noNetwork, connections: new OpenConnections(this.clock), logsConnections: false,
        globalCache: new GlobalCache(this.clock, 1000),
        log: { log: () => undefined },
        table: (_db, id) => ({ name: `t${id}`, columns: ["time"] }),
        query: async () => new Uint8Array(),
        plugins: anyPlugin,
        storage: {
          get headSequence() {
            return world.#committed.length;
          },
          write: async (write) => {
            this.writes.push(write);
            return write.lines.split("\n").length;
          },
          commitPosition: async (_db, position) => void this.positions.push(position.sequence),
          feed: {
            recordedPosition: () => undefined,
            firstSequence: () => 1,
            nextReadable: (_db, after) => after + 1,
            follow: () => () => undefined,
            started: () => undefined,
            advanced: () => undefined,
            countRows: async () => 0,
            read: async (_db, { after, through, wants }) => ({ batches: this.#committed.slice(after, through).filter(wants), through, fromLog: false }),
          },
          onCommitted: (listener) => {
            this.#listeners.push(listener);
            return () => (this.#listeners = this.#listeners.filter((other) => other !== listener));
          },
        },
        runtime: {
          start: async () => undefined,
          close: async () => undefined,
          statistics: () => ({ executors: 0, instances: 0, imageBytes: 0, restoreMsLast: 0, memoryBytes: 0 }),
          createInstance: (_label, limits): PluginInstance => (this.instances.push(limits), { memoryBytes: () => 0, close: async () => void (this.closed += 1), run: (invocation, host, options) => this.#run(invocation, host, options) }),
        },
      },
      catalog,
    );
  }

  #run(invocation: Invocation, host: PluginHost, options: RunOptions): Promise<RunOutcome> {
    const tables = invocation.event.kind === "writes" ? invocation.event.tables : [];
    const rows = tables.flatMap((table) => table.batches).reduce((sum, bytes) => sum + decodeTableBatch(bytes).rowCount, 0);
    this.calls.push({ atMs: this.clock.monotonicMs(), rows, tables: tables.map((table) => table.tableName) });
    return this.script(invocation, host, options);
  }

  async create(specification: string, errorBehavior: TriggerDefinition["errorBehavior"] = "log", settings: Partial<Pick<TriggerDefinition, "limits" | "grants" | "runAsync" | "durable">> = {}): Promise<void> {
    await this.engine.createTrigger({ database: "db", triggerName: "trigger", pluginFileName: "p", specification, arguments: undefined, runAsync: false, errorBehavior, disabled: false, ...settings });
  }

  commit(tableId: number, rowCount = 1, origin?: string): void {
    const bytes = encodeTableBatch({ databaseId: 1, tableId, rowCount, timeMin: 0n, timeMax: 0n, columns: [{ name: "time", type: "time", values: new BigInt64Array(rowCount) }] });
    const rows: CommittedBatch = { sequence: this.#committed.length + 1, databaseId: 1, tableId, bytes, rowCount, origin };
    this.#committed.push(rows);
    for (const listener of this.#listeners) listener(rows);
  }

  texts(level: string): string[] {
    return this.logs.rows().filter((row) => row.level === level).map((row) => row.text);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
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

describe("schedules", () => {
  it("fire at epoch-aligned multiples with whole-second nominal times (§7)", async () => {
    const seen: bigint[] = [];
    world.script = async (invocation) => {
      if (invocation.event.kind === "schedule") seen.push(invocation.event.callTimeSeconds);
      return done;
    };
    await world.clock.advance(1500);
    await world.create("every:10s");
    await world.clock.advance(20_000);
    expect(seen).toEqual([1_767_225_610n, 1_767_225_620n]);
    expect(world.texts("INFO")[0]).toBe("starting execution with scheduled time 2026-01-01 00:00:10 UTC");
  });

  it("stop when the trigger is disabled and start again when it is enabled", async () => {
    await world.create("cron:*/5 * * * * *");
    await world.clock.advance(5000);
    await world.engine.setTriggerEnabled("db", "trigger", false);
    await world.clock.advance(20_000);
    expect(world.calls.length).toBe(1);
    await world.engine.setTriggerEnabled("db", "trigger", true);
    await world.clock.advance(5000);
    expect(world.calls.length).toBe(2);
    expect(world.clock.timerCount).toBe(1);
  });
});

describe("late schedules", () => {
  it("make up sixty ticks, of every kind, and count the others as skipped", async () => {
    for (const specification of ["every:1s", "cron:* * * * * *"]) {
      world = new World();
      const seen: number[] = [];
      let slow = true;
      world.script = async (invocation) => {
        if (invocation.event.kind === "schedule") seen.push(Number(invocation.event.callTimeSeconds) - 1_767_225_600);
        if (slow) await new Promise<void>((resolve) => world.clock.after(200_500, resolve));
        slow = false;
        return done;
      };
      await world.create(specification);
      await world.clock.advance(202_000);
      // It began at second 1 and ended at 201.5: of the ticks 2 to 201 the last 60 or so are made up.
      expect(seen[0]).toBe(1);
      expect(seen[1]).toBeGreaterThanOrEqual(141);
      expect(seen[1]).toBeLessThanOrEqual(142);
      expect(seen.slice(1)).toEqual(Array.from({ length: 202 - (seen[1] ?? 0) + 1 }, (_, index) => (seen[1] ?? 0) + index));
      expect(world.engine.statistics()[0]?.counters.ticksSkipped).toBe((seen[1] ?? 0) - 2);
    }
  });

  it("run beside each other when they are asynchronous, as far as there are instances", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve(done)));
    await world.create("every:1s", "log", { runAsync: true });
    await world.clock.advance(20_000);
    expect(world.calls.map((call) => call.atMs)).toEqual([1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]);
    releases[0]?.();
    await flushPromises();
    await world.clock.advance(0);
    expect(world.calls.length).toBe(9);
  });

  it("a cron expression that a clock jump passed ten thousand times is not counted for ever", async () => {
    await world.create("cron:* * * * * *");
    world.script = async () => {
      if (world.calls.length === 1) await new Promise<void>((resolve) => world.clock.after(30 * 86_400_000, resolve));
      return done;
    };
    await world.clock.advance(30 * 86_400_000 + 5_000);
    expect(world.calls.length).toBeLessThan(20);
    expect(world.engine.statistics()[0]?.counters.ticksSkipped).toBe(10_000);
  });
});

describe("request triggers", () => {
  const request = { path: "hello", query: [], headers: [], body: new Uint8Array() };

  it("serve one request after another and bound the queue", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve({ kind: "done", writes: [], response: { status: 201, headers: [], body: new Uint8Array([1]) } })));
    await world.create("request:hello");
    const answers = Array.from({ length: 60 }, () => world.engine.request(request));
    await flushPromises();
    expect(world.calls.length).toBe(1);
    await expect(world.engine.request(request)).rejects.toThrow("60 requests wait");
    while (releases.length > 0) {
      releases.shift()?.();
      await flushPromises();
    }
    expect((await Promise.all(answers)).map((answer) => answer?.status)).toEqual(Array.from({ length: 60 }, () => 201));
    expect(await world.engine.request({ ...request, path: "none" })).toBeUndefined();
  });

  it("asynchronous ones serve several at once", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve({ kind: "done", writes: [], response: { status: 200, headers: [], body: new Uint8Array() } })));
    await world.create("request:hello", "log", { runAsync: true });
    const answers = Array.from({ length: 20 }, () => world.engine.request(request));
    await flushPromises();
    expect(world.calls.length).toBe(8);
    expect(world.engine.statistics()[0]).toMatchObject({ queueDepth: 12, instances: 8 });
    while (releases.length > 0) {
      releases.shift()?.();
      await flushPromises();
    }
    expect((await Promise.all(answers)).length).toBe(20);
  });

  it("answer a plugin's exception in the reference's words (§10.4)", async () => {
    world.script = async () => raised;
    await world.create("request:hello");
    await expect(world.engine.request(request)).rejects.toThrow("Python function call failed: ValueError: no");
    expect(world.texts("ERROR")[0]).toContain("error running request plugin: Python function call failed: ValueError: no");
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
