// Goal: whatever our own executor answers, the query engine answers the same. Method: random rows with repeated and late
// points, NULLs, NaN, tags that come later, spread over Parquet files and the buffer, with and without retention; random
// questions of the shapes that the planner takes; both ways of answering, compared cell by cell. Values are fractions of
// two and times of a group are distinct where they decide, so that no order of additions and no tie can show.
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileObjectStore } from "../../src/adapters/object-store/file.ts";
import { DuckdbEngine } from "../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { ColumnCache } from "../../src/engine/direct/column-cache.ts";
import { DirectQueries } from "../../src/engine/direct/direct-queries.ts";
import { QueryService } from "../../src/engine/query-service.ts";
import { formatResult } from "../../src/core/query/format-result.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { openServer } from "../conformance/sql/harness.ts";
import { newDisk, openStorage, request, type Opened } from "../support/open-storage.ts";

const ROUNDS = Number(process.env["DIRECT_ROUNDS"] ?? 25);
const QUESTIONS = 16;
const START = 1_700_000_000_000_000_000n;
const NOW = START + 4_000n;

const clock: Clock = {
  nowNs: () => NOW,
  monotonicMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

let folder: string;
let engine: DuckdbEngine;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-direct-"));
  engine = await DuckdbEngine.open({ clock, parquet: { storeFolder: folder, allowedFolder: folder } });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

interface Row {
  readonly host: string | undefined;
  readonly room: string | undefined;
  readonly rack: string | undefined;
  readonly f: number | undefined;
  readonly i: number | undefined;
  readonly u: number | undefined;
  readonly s: string | undefined;
  readonly time: number;
}

const maybe = <T>(value: fc.Arbitrary<T>, freq = 4): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq });
const row = (late: boolean): fc.Arbitrary<Row> =>
  fc.record({
    host: maybe(fc.constantFrom("a", "b", "c", "ü"), 8), room: maybe(fc.constantFrom("x", "y"), 3), rack: late ? maybe(fc.constantFrom("1", "2")) : fc.constant(undefined),
    f: maybe(fc.integer({ min: -64, max: 64 }).map((n) => n / 8)), i: maybe(fc.integer({ min: -9, max: 9 })), u: maybe(fc.integer({ min: 0, max: 9 })), s: maybe(fc.constantFrom("p", "q", "a longer text than twelve bytes")),
    time: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 4_000 })),
  });
const writes = fc.array(fc.tuple(fc.array(row(false), { minLength: 1, maxLength: 30 }), fc.array(row(true), { maxLength: 10 }), fc.boolean()), { minLength: 1, maxLength: 6 });

function line({ host, room, rack, f, i, u, s, time }: Row): string {
  const tags = Object.entries({ host, room, rack }).flatMap(([name, value]) => (value === undefined ? [] : [`,${name}=${value}`]));
  const fields = [
    ...(f === undefined ? [] : [`f=${f}`]), ...(i === undefined ? [] : [`i=${i}i`]), ...(u === undefined ? [] : [`u=${u}u`]), ...(s === undefined ? [] : [`s="${s}"`]), "b=true",
  ];
  return `t${tags.join("")} ${fields.join(",")} ${START + BigInt(time)}`;
}

const TAGS = ["host", "room", "rack"];
const time = (offset: number): string => `to_timestamp(${START + BigInt(offset)})`;
const tagTest = fc.oneof(
  fc.constantFrom("host = 'a'", "'b' = host", "host != 'a'", "host = 'nowhere'", "room = 'x'", "rack = '1'"),
  fc.subarray(["'a'", "'b'", "'z'"], { minLength: 1 }).chain((list) => fc.constantFrom(`host IN (${list.join(", ")})`, `host NOT IN (${list.join(", ")})`)),
);
const timeTest = fc.oneof(
  fc.tuple(fc.constantFrom("<", "<=", ">", ">=", "="), fc.integer({ min: 0, max: 4_000 })).map(([operator, at]) => `time ${operator} ${time(at)}`),
  fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 4_000 })).map(([from, to]) => `time BETWEEN ${time(from)} AND ${time(to)}`),
);
const where = fc.array(fc.oneof(tagTest, timeTest), { maxLength: 3 });
const whereSql = (tests: readonly string[]): string => (tests.length === 0 ? "" : ` WHERE ${tests.join(" AND ")}`);

const key = fc.oneof(fc.constantFrom(...TAGS), fc.constantFrom("date_bin(INTERVAL '7 nanoseconds', time)", "date_bin(INTERVAL '1 microsecond', time, to_timestamp(13))", "date_trunc('microsecond', time)"));
/** Aggregates whose answer no order of rows changes. */
const aggregate = fc.constantFrom(
  "count(*)", "count(f)", "count(host)", "count(s)", "sum(f)", "sum(i)", "sum(u)", "avg(f)", "mean(i)", "min(f)", "max(f)", "min(i)", "max(i)", "min(u)", "max(u)", "min(time)", "max(time)",
  "selector_min(f, time)['value']", "selector_max(i, time)['value']", "selector_min(u, time)['time']", "selector_max(f, time)['time']", "selector_first(f, time)['time']", "selector_last(i, time)['time']",
);
/** These tell which row is the first or last: every tag must be a group, so that times are distinct. */
const atTime = fc.constantFrom("selector_last(f, time)['value']", "selector_first(s, time)", "selector_last(u, time)", "last_value(f ORDER BY time)", "first_value(s ORDER BY time)", "last_value(i ORDER BY time DESC)", "last_value(host ORDER BY time)");

const groups = fc.tuple(fc.uniqueArray(key, { maxLength: 3 }), fc.array(aggregate, { minLength: 1, maxLength: 4 }), fc.option(atTime, { nil: undefined }), where, fc.boolean()).map(([keys, aggregates, pick, tests, ordered]) => {
  const all = pick === undefined ? keys : [...new Set([...TAGS, ...keys])];
  const list = pick === undefined ? aggregates : [...aggregates, pick];
  const items = [...all.map((text, index) => `${text} AS k${index}`), ...list.map((text, index) => `${text} AS v${index}`)];
  const order = ordered && all.length > 0 ? ` ORDER BY ${all.map((_, index) => `k${index}`).join(", ")} LIMIT 7 OFFSET 1` : "";
  return `SELECT ${items.join(", ")} FROM t${whereSql(tests)}${all.length === 0 ? "" : ` GROUP BY ${all.map((_, index) => (index % 2 === 0 ? `k${index}` : String(index + 1))).join(", ")}`}${order}`;
});
/** One series at most, so that times are distinct and a LIMIT is definite. */
const rows = fc.tuple(fc.constantFrom("*", "time, f", "host, i AS x, time, s", "room, u"), fc.constantFrom("host", "host, room"), where, fc.constantFrom("", " ORDER BY time", " ORDER BY time DESC", " ORDER BY time DESC LIMIT 3", " ORDER BY time LIMIT 5 OFFSET 2")).map(
  ([items, _, tests, order]) => `SELECT ${items} FROM t WHERE host = 'a' AND room = 'x' AND rack = '1'${tests.map((test) => ` AND ${test}`).join("")}${order}`,
);
const latest = fc.tuple(where, fc.constantFrom("DESC", "ASC"), fc.integer({ min: 1, max: 5 })).map(([tests, direction, limit]) => `SELECT time FROM t${whereSql(tests)} ORDER BY time ${direction} LIMIT ${limit}`);
const questions = fc.array(fc.oneof({ weight: 3, arbitrary: groups }, rows, latest), { minLength: QUESTIONS, maxLength: QUESTIONS });

async function answer(service: QueryService, sql: string): Promise<string[]> {
  const stream = await service.query({ database: "db", sql });
  let text = "";
  for await (const piece of formatResult(stream, "jsonl")) text += piece;
  const lines = text.split("\n").filter((part) => part !== "");
  return / ORDER BY (?:time|k\d)[^()]*$/.test(sql) ? lines : lines.sort();
}

let rounds = 0;

describe("direct queries", () => {
  it(
    "answer as the engine does",
    async () => {
      let answered = 0;
      await fc.assert(
        fc.asyncProperty(writes, questions, fc.option(fc.integer({ min: 1, max: 4_000 }), { nil: undefined }), async (parts, asked, retention) => {
          // Objects never change: a path that came again with other bytes would meet what the engine remembers of a file.
          const prefix = `r${rounds++}`;
          const store = createFileObjectStore({ folder, randomName: () => `x${rounds}-${Math.random()}` });
          const opened: Opened = await openStorage(newDisk(), { parquetStore: store, limits: { bufferBytes: 64_000_000 }, persistence: { nodeId: prefix } });
          const { storage, catalog } = opened;
          await storage.write(request("t,host=a,room=x f=1,i=1i,u=1u,s=\"x\",b=true 1700000000000000000"));
          for (const [early, late, persist] of parts) {
            for (const list of [early, late]) if (list.length > 0) await storage.write(request(list.map(line).join("\n")));
            if (persist) await storage.snapshotNow();
          }
          if (retention !== undefined) await catalog.setRetention("db", BigInt(retention));
          const columns = new ColumnCache((path) => store.get(path), 4_000_000);
          const direct = new DirectQueries({ columns, clock, log: { log: () => undefined }, yieldToEventLoop: () => Promise.resolve() });
          const common = { catalog, source: storage, engine, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 30_000 } };
          const [fast, general] = [new QueryService({ ...common, direct }), new QueryService(common)];
          const hasRack = catalog.state.databases.get("db")?.tables.get("t")?.columnsByName.has("rack") === true;
          for (const sql of asked) {
            if (sql.includes("rack") && !hasRack) continue;
            expect(await answer(fast, sql), `${prefix}: ${sql}`).toEqual(await answer(general, sql));
          }
          answered += direct.statistics().answered;
          await storage.close();
          rmSync(join(folder, prefix), { recursive: true, force: true });
        }),
        { numRuns: ROUNDS },
      );
      // Otherwise the engine would have been compared with itself.
      expect(answered).toBeGreaterThan(ROUNDS * QUESTIONS * 0.5);
    },
    240_000,
  );

  it("order NaN as the engine does", async () => {
    const server = await openServer({
      tables: [{
        name: "t", columns: { host: "tag", f: "float64", time: "time" },
        batches: [
          [{ host: "a", f: Number.NaN, time: 1n }, { host: "a", f: 2, time: 2n }, { host: "b", f: -1, time: 3n }, { host: "c", f: Number.NaN, time: 4n }],
          [{ host: "a", f: 1, time: 5n }, { host: "b", f: Number.NaN, time: 6n }, { host: "c", f: Number.NaN, time: 7n }, { host: "d", f: -Infinity, time: 8n }, { host: "d", f: Infinity, time: 9n }],
        ],
      }],
    });
    // Two ways to say the same: what the planner takes, and what it does not.
    const [own, engines] = await Promise.all(
      ["GROUP BY host", "GROUP BY host HAVING count(*) > 0"].map(async (groups) =>
        (await server.run(`SELECT host, min(f) AS a, max(f) AS b, sum(f) AS c, avg(f) AS d, selector_min(f, time) AS e, selector_max(f, time) AS g, last_value(f ORDER BY time) AS h FROM t ${groups}`, { format: "csv" })).split("\n").sort()),
    );
    expect(own).toEqual(engines);
    expect(own?.join()).toContain("NaN");
    expect(await server.run("EXPLAIN SELECT host, min(f) AS a FROM t GROUP BY host")).toContain("DirectExec");
    expect(await server.run("EXPLAIN SELECT host, min(f) AS a FROM t GROUP BY host HAVING count(*) > 0")).not.toContain("DirectExec");
    await server.close();
  });
});
