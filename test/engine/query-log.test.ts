/** The query log and the tables of the server (spec: query §3, §6), through the real engine. */
import { afterEach, describe, expect, test } from "vitest";
import { EMPTY_CATALOG } from "../../src/core/catalog/state.ts";
import { QueryLog } from "../../src/engine/query-log.ts";
import { withServerTables } from "../../src/engine/server-tables.ts";
import { HOME, openServer, TYPES, type TestServer } from "../conformance/sql/harness.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(entriesMax = 10): Promise<TestServer> {
  let ids = 0;
  server = await openServer({
    tables: [HOME, TYPES],
    log: (clock) => new QueryLog({ clock, entriesMax, newId: () => `id${ids++}` }),
    systemTables: (catalog, source, log) =>
      withServerTables({ table: () => undefined, names: () => [] }, {
        catalog: { state: { ...EMPTY_CATALOG, databases: catalog.state.databases } }, source, log,
        node: { nodeId: "n0", instanceId: "i0", coreCount: 2, startedNs: 0n, cliParams: "{}", gen1DurationNs: 600_000_000_000n },
      }),
  });
  return server;
}

describe("system.queries", () => {
  test("shows every query with its end, itself running", async () => {
    const { run } = await open();
    await run("SELECT * FROM home");
    await run("SELECT nope FROM home").catch(() => undefined);
    await run("SELECT 1 / 0").catch(() => undefined);
    const rows = await run("SELECT id, phase, query_type, query_text, success, running, cancelled, parquet_files FROM system.queries ORDER BY id");
    expect(rows.split("\n").slice(0, -1)).toEqual([
      '{"id":"id0","phase":"success","query_type":"sql","query_text":"SELECT * FROM home","success":true,"running":false,"cancelled":false,"parquet_files":0}',
      '{"id":"id1","phase":"fail","query_type":"sql","query_text":"SELECT nope FROM home","success":false,"running":false,"cancelled":false}',
      '{"id":"id2","phase":"fail","query_type":"sql","query_text":"SELECT 1 / 0","success":false,"running":false,"cancelled":false,"parquet_files":0}',
      '{"id":"id3","phase":"received","query_type":"sql","query_text":"SELECT id, phase, query_type, query_text, success, running, cancelled, parquet_files FROM system.queries ORDER BY id","success":false,"running":true,"cancelled":false}',
    ]);
  });

  test("a reader that leaves early cancels", async () => {
    const { run, service } = await open();
    const stream = await service.query({ database: "db", sql: "SELECT * FROM home" });
    await stream.close();
    expect(await run("SELECT phase, cancelled FROM system.queries WHERE id = 'id0'")).toBe('{"phase":"cancel","cancelled":true}\n');
  });

  test("a plugin sees the queries of its own database only", async () => {
    const { run, service } = await open();
    await run("SELECT 1");
    const other = await service.query({ database: "_internal", sql: "SELECT 2" });
    await other.close();
    const texts = async (database: string, confined: boolean): Promise<unknown[]> => {
      const stream = await service.query({ database, sql: "SELECT query_text FROM system.queries WHERE NOT running ORDER BY 1", confined });
      const found: unknown[] = [];
      for await (const batch of stream.batches) found.push(...(batch.columns[0] ?? []));
      return found.filter((text) => /^SELECT \d$/.test(String(text)));
    };
    expect([await texts("db", true), await texts("db", false), await texts("_internal", true)]).toEqual([["SELECT 1"], ["SELECT 1", "SELECT 2"], ["SELECT 1", "SELECT 2"]]);
  });

  test("durations are durations, and the oldest entries go", async () => {
    const { run } = await open(2);
    for (const text of ["SELECT 1", "SELECT 2", "SELECT 3"]) await run(text);
    expect(await run("SELECT id, arrow_typeof(end2end_duration) AS t, end2end_duration > INTERVAL '0 seconds' AS p FROM system.queries ORDER BY id LIMIT 1")).toBe('{"id":"id2","t":"Duration(Nanosecond)","p":true}\n');
  });
});

describe("tables of the catalog", () => {
  test("influxdb_schema names kinds as InfluxQL does", async () => {
    const { run } = await open();
    expect(await run("SELECT key, data_type FROM system.influxdb_schema WHERE measurement = 'types'")).toBe(
      [["b", "boolean"], ["f", "float"], ["host", "tag"], ["i", "integer"], ["s", "string"], ["time", "time"], ["u", "uinteger"]].map(([key, type]) => `{"key":"${key}","data_type":"${type}"}\n`).join(""),
    );
  });

  test("those of _internal are there only", async () => {
    const { run, service } = await open();
    await expect(run("SELECT * FROM system.nodes")).rejects.toMatchObject({ message: expect.stringContaining("not found") });
    const read = async (sql: string): Promise<unknown[][]> => {
      const stream = await service.query({ database: "_internal", sql });
      const rows: unknown[][] = [];
      for await (const batch of stream.batches) for (let row = 0; row < batch.rowCount; row++) rows.push(batch.columns.map((column) => column[row]));
      return rows;
    };
    expect(await read("SELECT node_id, mode, core_count, state FROM system.nodes")).toEqual([["n0", ["core"], 2n, "running"]]);
    expect(await read("SELECT * FROM system.generation_durations")).toEqual([[1n, 600n]]);
    expect(await read("SELECT database_name, deleted FROM system.databases ORDER BY 1")).toEqual([["_internal", false], ["db", false]]);
    expect(await read("SELECT table_name, column_count, series_key_columns FROM system.tables WHERE database_name = 'db' ORDER BY 1")).toEqual([["home", 5n, "room"], ["types", 7n, "host"]]);
    expect((await read("SELECT table_name FROM information_schema.tables WHERE table_schema = 'system'")).flat()).toEqual(["databases", "generation_durations", "influxdb_schema", "nodes", "parquet_files", "queries", "tables"]);
  });
});
