/** The service over a fake source: duplicates, retention, pruning, snapshots, limits of plugin results. */
import { afterEach, describe, expect, test } from "vitest";
import { decodeTableBatch } from "../../../src/core/columns/table-batch.ts";
import { ENCODED } from "../../../src/core/columns/column-type.ts";
import type { EngineQuery } from "../../../src/ports/query-engine.ts";
import { HOME, NOW_NS, openServer, START, TYPES, type TestServer, type TestTable } from "./harness.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const HOUR = 3_600_000_000_000n;

const DUPLICATES: TestTable = {
  name: "d",
  columns: { host: "tag", a: "float64", b: "int64", s: "utf8", time: "time" },
  duplicates: true,
  batches: [
    [{ host: "x", a: 1, b: 1n, s: "first", time: 5n }, { host: "x", a: 2, time: 5n }],
    [{ host: "x", b: 3n, time: 5n }, { a: 9, time: 5n }, { host: "x", a: 7, time: 6n }],
  ],
};

describe("duplicates (spec: line-protocol-and-write §7)", () => {
  test("one row per series and time, the newest value that is not NULL per column", async () => {
    server = await openServer({ tables: [DUPLICATES] });
    expect(await server.run("SELECT host, a, b, s, time FROM d ORDER BY time, host")).toBe(
      '{"host":"x","a":2.0,"b":3,"s":"first","time":"1970-01-01T00:00:00.000000005"}\n{"a":9.0,"time":"1970-01-01T00:00:00.000000005"}\n{"host":"x","a":7.0,"time":"1970-01-01T00:00:00.000000006"}\n',
    );
    expect(await server.run("SELECT count(*) AS c FROM d")).toBe('{"c":3}\n');
    expect(await server.run("SELECT sum(a) AS a FROM d WHERE host = 'x' AND time = 5")).toBe('{"a":2.0}\n');
  });

  test("a filter on a field sees the newest value only", async () => {
    server = await openServer({ tables: [DUPLICATES] });
    expect(await server.run("SELECT count(*) AS c FROM d WHERE a = 1")).toBe('{"c":0}\n');
  });
});

test("retention hides expired rows to the row", async () => {
  server = await openServer({ tables: [HOME], retentionNs: NOW_NS - (START + 11n * HOUR) });
  expect(await server.run("SELECT count(*) AS c, min(time) AS t FROM home")).toBe('{"c":4,"t":"2022-01-01T19:00:00"}\n');
});

test("batches outside the time bounds of WHERE are not handed to the engine", async () => {
  const days: TestTable = { name: "days", columns: { v: "int64", time: "time" }, batches: Array.from({ length: 10 }, (_, day) => [{ v: BigInt(day), time: BigInt(day) * 24n * HOUR }]) };
  server = await openServer({ tables: [days] });
  const seen: number[] = [];
  const execute = server.engine.execute.bind(server.engine);
  server.engine.execute = (query: EngineQuery) => {
    seen.push(query.relations.reduce((sum, relation) => sum + relation.batches.length, 0));
    return execute(query);
  };
  const run = async (where: string): Promise<string> => (server as TestServer).run(`SELECT count(v + 0) AS c FROM days WHERE ${where}`);
  expect(await run("time >= '1970-01-05T00:00:00Z' AND time < '1970-01-07'")).toBe('{"c":2}\n');
  expect(await run("time BETWEEN 0 AND '1970-01-01'")).toBe('{"c":1}\n');
  expect(await run("'1970-01-08' <= time")).toBe('{"c":3}\n');
  expect(await run("time > '1970-01-08' OR v = 0")).toBe('{"c":3}\n');
  expect(await run("EXISTS (SELECT 1 FROM days d WHERE days.time > '1970-01-09' AND d.v = 0)")).toBe('{"c":1}\n');
  expect(seen).toEqual([2, 1, 3, 10, 20]);
});

test("a table without any row has its columns", async () => {
  server = await openServer({ tables: [{ name: "empty", columns: { host: "tag", v: "float64", time: "time" }, batches: [] }] });
  expect(await server.run("SELECT * FROM empty WHERE host = 'a'")).toBe("");
  expect(await server.run("SELECT count(*) AS c, max(v) AS m FROM empty")).toBe('{"c":0}\n');
});

test("rows are held from the start of a query until its stream ends, however that comes about", async () => {
  const many: TestTable = { name: "many", columns: { v: "int64", time: "time" }, batches: [Array.from({ length: 20_000 }, (_, row) => ({ v: BigInt(row), time: BigInt(row) }))] };
  server = await openServer({ tables: [many] });
  const { service, pinned } = server;
  for (const sql of ["SELECT v, time FROM many", "SELECT v + 1 AS v FROM many", "SELECT max(v) AS v FROM many", "EXPLAIN SELECT v FROM many", "SELECT * FROM information_schema.tables"]) {
    const read = await service.query({ database: "db", sql });
    expect(pinned()).toBe(1);
    for await (const batch of read.batches) expect([batch.rowCount > 0, pinned()]).toEqual([true, 1]);
    expect(pinned()).toBe(0);
    const closed = await service.query({ database: "db", sql });
    await closed.close();
    expect(pinned()).toBe(0);
    const left = await service.query({ database: "db", sql });
    for await (const _ of left.batches) break;
    expect(pinned()).toBe(0);
  }
  for (const sql of ["SELEC", "SELECT x FROM many", "SELECT CAST('x' AS BIGINT) FROM many", "SELECT CAST(CAST(v AS VARCHAR) || 'x' AS BIGINT) FROM many"]) await expect(server.run(sql)).rejects.toThrow();
  await expect(service.query({ database: "nowhere", sql: "SELECT 1" })).rejects.toThrow();
  expect(pinned()).toBe(0);
});

describe("plugin results (spec: processing-engine §11.2)", () => {
  const limits = { rowsMax: 100, bytesMax: 10_000 };

  test("scalar types keep their kind, time is nanoseconds, others are text", async () => {
    server = await openServer({ tables: [TYPES] });
    const bytes = await server.service.queryTableBatch({ database: "db", sql: "SELECT *, date_trunc('day', time)::date AS d, INTERVAL '1 day' AS iv, extract(hour FROM time) AS h, make_array(i) AS l FROM types ORDER BY time" }, limits);
    const batch = decodeTableBatch(bytes);
    expect(batch.rowCount).toBe(4);
    expect(batch.columns.map((column) => [column.name, column.type])).toEqual([
      ["b", ENCODED.bool], ["f", ENCODED.float64], ["host", ENCODED.utf8], ["i", ENCODED.int64], ["s", ENCODED.utf8], ["time", ENCODED.int64], ["u", ENCODED.uint64],
      ["d", ENCODED.utf8], ["iv", ENCODED.utf8], ["h", ENCODED.int64], ["l", ENCODED.utf8],
    ]);
    const time = batch.columns.find((column) => column.name === "time");
    expect(new DataView((time?.body as Uint8Array).slice().buffer).getBigInt64(0, true)).toBe(-1n);
  });

  test("an all-NULL column and a repeated name", async () => {
    server = await openServer({ tables: [HOME] });
    const batch = decodeTableBatch(await server.service.queryTableBatch({ database: "db", sql: "SELECT NULL AS n, a.co, b.co FROM home a JOIN home b ON a.time = b.time AND a.room < b.room LIMIT 2" }, limits));
    expect(batch.columns.map((column) => column.name)).toEqual(["n", "co"]);
    expect(batch.columns[0]?.type).toBe(ENCODED.null);
  });

  test("rows and bytes are bounded and the place is free again", async () => {
    server = await openServer({ tables: [HOME] });
    for (const tight of [{ rowsMax: 10, bytesMax: 1e6 }, { rowsMax: 1000, bytesMax: 100 }]) {
      await expect(server.service.queryTableBatch({ database: "db", sql: "SELECT * FROM home" }, tight)).rejects.toMatchObject({ code: "query.failed", message: expect.stringContaining("larger than") });
    }
    expect(server.engine.statistics()).toMatchObject({ running: 0, waiting: 0 });
  });
});

test("parameters that are no scalars are refused", async () => {
  server = await openServer({ tables: [HOME] });
  await expect(server.run("SELECT $a", { parameters: { a: [1] } })).rejects.toMatchObject({ code: "query.invalid" });
});

test("EXPLAIN says which executor answers", async () => {
  server = await openServer({ tables: [HOME] });
  const explain = async (sql: string): Promise<string> => (server as TestServer).run(`EXPLAIN ${sql}`);
  expect(JSON.parse(await explain("SELECT room, date_bin(INTERVAL '1 hour', time) AS t, avg(temp) FROM home WHERE room = 'Kitchen' GROUP BY 1, 2"))).toEqual({
    plan_type: "physical_plan",
    plan: "DirectExec: groups=[room, time / 3600000000000 ns], aggregates=[avg(temp)]\n  DirectScan: table=home, predicates=[room IN (Kitchen)], buffer_batches=2, parquet_files=0, contested_windows=0",
  });
  expect(await explain("SELECT * FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 1")).toContain("DirectExec: rows=[co, hum, room, temp, time], order=[time descending], limit=1");
  expect(await explain("SELECT room, stddev(temp) FROM home GROUP BY room")).not.toContain("DirectExec");
  expect(await explain("SELECT room FROM home WHERE temp > 22")).not.toContain("DirectExec");
});
