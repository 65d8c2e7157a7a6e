/** Metadata statements, system tables, EXPLAIN (spec: query §2.1, §3). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CASES, HOME, openServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer({
    tables: [HOME, CASES],
    system: {
      queries: { columns: [{ name: "id", type: "utf8" }], rows: [] },
      processing_engine_logs: {
        columns: [{ name: "event_time", type: "time" }, { name: "trigger_name", type: "utf8" }, { name: "log_level", type: "utf8" }, { name: "log_text", type: "utf8" }],
        rows: [[1_641_024_000_000_000_001n, "t", "INFO", "started"], [1_641_024_001_000_000_000n, "t", "ERROR", null]],
      },
    },
  });
});
afterAll(() => server.close());

test("SHOW TABLES lists iox, system, information_schema in this order", async () => {
  expect(await server.run("SHOW TABLES", { format: "csv" })).toBe(
    [
      "table_catalog,table_schema,table_name,table_type",
      "public,iox,Cases,BASE TABLE",
      "public,iox,home,BASE TABLE",
      "public,system,processing_engine_logs,BASE TABLE",
      "public,system,queries,BASE TABLE",
      ...["tables", "views", "columns", "df_settings", "schemata", "routines", "parameters"].map((view) => `public,information_schema,${view},VIEW`),
      "",
    ].join("\n"),
  );
});

test("SHOW COLUMNS names Arrow types; only time is not nullable", async () => {
  expect(await server.run("SHOW COLUMNS FROM home", { format: "csv" })).toBe(
    "table_catalog,table_schema,table_name,column_name,data_type,is_nullable\npublic,iox,home,co,Int64,YES\npublic,iox,home,hum,Float64,YES\n" +
      'public,iox,home,room,"Dictionary(Int32, Utf8)",YES\npublic,iox,home,temp,Float64,YES\npublic,iox,home,time,"Timestamp(Nanosecond, None)",NO\n',
  );
});

test("DESCRIBE has DataFusion's three columns", async () => {
  expect((await server.run('DESCRIBE "Cases"', { format: "csv" })).split("\n").slice(0, 2)).toEqual(["column_name,data_type,is_nullable", "Tag,\"Dictionary(Int32, Utf8)\",YES"]);
});

test("information_schema can be filtered and joined", async () => {
  expect(await server.run("SELECT t.table_name, count(*) AS c FROM information_schema.tables t JOIN information_schema.columns c ON t.table_name = c.table_name WHERE t.table_schema = 'iox' GROUP BY 1 ORDER BY 1")).toBe(
    '{"table_name":"Cases","c":6}\n{"table_name":"home","c":5}\n',
  );
});

test("system tables are read like others, their columns in their own order", async () => {
  expect(await server.run("SELECT * FROM system.processing_engine_logs ORDER BY event_time")).toBe(
    '{"event_time":"2022-01-01T08:00:00.000000001","trigger_name":"t","log_level":"INFO","log_text":"started"}\n{"event_time":"2022-01-01T08:00:01","trigger_name":"t","log_level":"ERROR"}\n',
  );
  expect(await server.run("SELECT count(*) AS c FROM system.queries")).toBe('{"c":0}\n');
});

test("a system table is not found without its schema", async () => {
  await expect(server.run("SELECT * FROM queries")).rejects.toMatchObject({ message: "Error during planning: table 'public.iox.queries' not found" });
});

test("EXPLAIN has plan_type and plan", async () => {
  const [row] = (await server.run("EXPLAIN SELECT * FROM home")).split("\n");
  expect(Object.keys(JSON.parse(row as string) as object)).toEqual(["plan_type", "plan"]);
});

test("EXPLAIN of what the engine runs says what is read; ANALYZE keeps the text given to the engine to itself", async () => {
  const plans = async (sql: string): Promise<Record<string, string>> =>
    Object.fromEntries((await server.run(sql)).split("\n").slice(0, -1).map((line) => JSON.parse(line) as { plan_type: string; plan: string }).map(({ plan_type: type, plan }) => [type, plan]));
  const join = "SELECT a.temp FROM home a JOIN home b ON a.time = b.time WHERE a.time >= '2022-01-01' AND a.room = 'Kitchen'";
  const explained = await plans(`EXPLAIN ${join}`);
  expect(Object.keys(explained)).toEqual(["logical_plan", "physical_plan"]);
  expect(explained["logical_plan"]).toBe(
    "TableScan: iox.home, filters=[time >= 2022-01-01T00:00:00, room IN (Kitchen)], buffer_batches=2, parquet_files=0\nTableScan: iox.home, filters=[], buffer_batches=2, parquet_files=0",
  );
  const analyzed = await plans(`EXPLAIN ANALYZE ${join}`);
  expect(Object.keys(analyzed)).toEqual(["logical_plan", "analyzed_plan"]);
  expect(analyzed["analyzed_plan"]).toContain("HASH_JOIN");
  expect(analyzed["analyzed_plan"]).not.toMatch(/EXPLAIN ANALYZE|SELECT /);
});
