/** The gate: what is not a listed statement, table or function never reaches the engine, and says so in DataFusion's words. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import fc from "fast-check";
import { isDatabaseError } from "../../../src/core/errors/database-error.ts";
import { CASES, HOME, openServer, type TestServer } from "./harness.ts";

let server: TestServer;
let executed = 0;
beforeAll(async () => {
  server = await openServer({ tables: [HOME, CASES] });
  const execute = server.engine.execute.bind(server.engine);
  server.engine.execute = (query) => {
    executed++;
    return execute(query);
  };
});
afterAll(() => server.close());

/** The error; fails when the engine was reached. */
async function refused(sql: string): Promise<{ code: string; status: number; message: string; hint: string | undefined; details: unknown }> {
  const before = executed;
  const error: unknown = await server.run(sql).catch((thrown: unknown) => thrown);
  expect(executed, sql).toBe(before);
  if (!isDatabaseError(error)) throw new Error(`not refused: ${sql}: ${String(error)}`);
  return { code: error.code, status: error.status, message: error.message, hint: error.hint, details: error.details };
}

const HOSTILE = [
  "SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM 'data.parquet'", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv('/etc/passwd')",
  "SELECT * FROM read_parquet('/x/*.parquet')", "SELECT * FROM read_json('/x')", "SELECT * FROM read_blob('/proc/self/environ')", "SELECT * FROM glob('/*')", "SELECT * FROM sniff_csv('/etc/passwd')",
  "SELECT * FROM parquet_metadata('/x')", "SELECT * FROM query('select 1')", "SELECT * FROM query_table('home')", "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_functions()", "SELECT * FROM pragma_version()",
  "SELECT * FROM tidemark_scan(1)", "SELECT * FROM tidemark_scan(CAST(1 AS BIGINT))", "SELECT * FROM repeat_row(1, num_rows = 10)",
  "SELECT getenv('HOME')", "SELECT current_setting('secret_directory')", "SELECT read_text('/etc/passwd')", "SELECT pg_sleep(10)", "SELECT sleep(10)", "SELECT error('x')", "SELECT json_execute_serialized_sql('x')",
  "SELECT nextval('x')", "SELECT txid_current()", "SELECT main.getenv('HOME')", "SELECT system.main.getenv('HOME')", "SELECT 1 FROM home WHERE unnest([1]) = 1", "SELECT struct_pack(a := 1)", "SELECT regexp_matches('a', 'b')",
  "COPY home TO 'x.csv'", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH 'evil.db'", "DETACH memory", "PRAGMA threads=8", "INSTALL httpfs", "LOAD httpfs", "SET memory_limit='8GB'", "RESET memory_limit", "CALL pragma_version()",
  "CREATE TABLE evil(x int)", "CREATE MACRO m() AS 1", "CREATE SECRET (TYPE s3)", "CREATE VIEW v AS SELECT 1", "DROP TABLE home", "ALTER TABLE home ADD COLUMN x int", "INSERT INTO home VALUES (1)", "UPDATE home SET temp = 1", "DELETE FROM home",
  "EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'", "CHECKPOINT", "VACUUM", "USE memory", "BEGIN", "PREPARE p AS SELECT 1", "EXECUTE p", "TRUNCATE home", "GRANT ALL ON home TO x", "EXPLAIN COPY home TO 'x'", "EXPLAIN ATTACH 'x'",
  "SELECT 1; DROP TABLE home", "SELECT 1; SELECT 2", "SELECT 1 --\n; ATTACH 'x'", "/* */ ATTACH 'x'", ";;", "", "   ", "-- only a comment", "SELECT 1 /* open", "SELECT 'open", 'SELECT "open',
  "SELECT * FROM home WHERE room = 'x' UNION SELECT * FROM '/etc/passwd'", "WITH a AS (SELECT * FROM read_text('/x')) SELECT 1", "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a",
  "SELECT (SELECT content FROM read_text('/etc/passwd'))", "SELECT * FROM home WHERE EXISTS (SELECT * FROM read_text('/x'))", "FROM home", "FROM home SELECT *", "SELECT * FROM duckdb_logs", "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_tables",
  "SELECT * FROM information_schema.user_privileges", "SELECT * FROM main.home", "SELECT * FROM temp.iox.home", "SELECT * FROM other.iox.home", "SELECT * FROM a.public.iox.home", "SUMMARIZE home", "PIVOT home ON room", "TABLE home", "SHOW ALL TABLES", "SHOW DATABASES",
  'SELECT "c0" FROM home', 'SELECT "r0"."c0" FROM home', 'SELECT r0.c0 FROM home', "SELECT seq FROM home", "SELECT rowid FROM home", "SELECT COLUMNS(*) FROM home", "SELECT * REPLACE (1 AS temp) FROM home", "SELECT x: 1", "SELECT home FROM home",
  "SELECT * FROM home, LATERAL (SELECT 1)", "SELECT * FROM home POSITIONAL JOIN home", "SELECT * FROM home ASOF JOIN home USING (time)", "SELECT * FROM home TABLESAMPLE 10%", "SELECT {'a': 1}", "SELECT MAP {'a': 1}", "SELECT lambda x: x", "SELECT list_transform([1], x -> x)",
  "SELECT $1", "SELECT ?", "SELECT @x", "SELECT #1", "SELECT $$a$$", "SELECT E'\\x41'", "SELECT x'41'", "SELECT U&'\\0041'", "SELECT 1_000", "SELECT 0x41", "SELECT 1\u0000", "SELECT * INTO x FROM home", "SELECT temp FROM home FOR UPDATE", "SELECT 1 FORMAT JSON",
];

describe("hostile statements", () => {
  test.each(HOSTILE)("%j", async (sql) => {
    const { code, message } = await refused(sql);
    expect(["query.invalid", "query.not_implemented"]).toContain(code);
    expect(message).not.toMatch(/duckdb(?!_)|\bc\d+\b.*\br\d+\b|node_modules/i);
  });

  test.each(["(", "- ", "NOT ", "abs(", "(SELECT ", "CASE WHEN true THEN ", "[", "CAST("])("nesting of %j is bounded", async (piece) => {
    const { message } = await refused(`SELECT ${piece.repeat(4_000)}1`);
    expect(message).toMatch(/nested deeper than 100 levels|more than 20000 tokens/);
  });

  test("text and tokens are bounded", async () => {
    expect((await refused(`SELECT '${"x".repeat(1_100_000)}'`)).message).toContain("longer than");
    expect((await refused(`SELECT ${"1,".repeat(200_000)}1`)).message).toContain("tokens");
    expect((await refused(`SELECT ${"1 + ".repeat(5_000)}1`)).message).toContain("operators in a row");
  });

  test("expressions that multiply are bounded before they use memory", async () => {
    const nested = (depth: number): string => (depth === 0 ? "time" : `date_trunc('month', ${nested(depth - 1)})`);
    expect((await refused(`SELECT ${nested(60)} FROM home`)).message).toContain("too much text");
  });

  test("arbitrary text gives a value or a DatabaseError, nothing else", async () => {
    const words = fc.constantFrom("SELECT", "FROM", "home", "WHERE", "(", ")", "*", ",", "'a'", '"x"', "1", "room", "::", "[", "]", "-", "--", "/*", ";", "AS", "JOIN", "ON", "GROUP BY", "count", "CASE", "END", "$p", "\u0000", "IN", "BETWEEN", "AND", "time", "INTERVAL");
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.array(words, { maxLength: 20 }).map((list) => `SELECT ${list.join(" ")}`)), async (sql) => {
        const error: unknown = await server.run(sql, { parameters: { p: 1 } }).then(() => undefined, (thrown: unknown) => thrown);
        if (error !== undefined && (!isDatabaseError(error) || error.message === "Query failed in the engine")) throw new Error(`${sql}: ${String(error)}`, { cause: error });
      }),
      { numRuns: 500 },
    );
  });
});

describe("words, status and position (spec: http-api §7)", () => {
  test.each([
    ["SELECT * FROM nope", 400, "Error during planning: table 'public.iox.nope' not found"],
    ["SELECT * FROM system.nope", 400, "Error during planning: table 'public.system.nope' not found"],
    ["SELECT foo FROM cases", 400, "Error during planning: table 'public.iox.cases' not found"],
    ["SELECT foo FROM home", 400, "Schema error: No field named foo. Valid fields are home.co, home.hum, home.room, home.temp, home.time."],
    ["SELECT time FROM home a JOIN home b ON a.time = b.time", 400, "Schema error: Ambiguous reference to unqualified field time"],
    ["SELECT nosuch(temp) FROM home", 400, "Error during planning: Invalid function 'nosuch'."],
    ["SELECT avgg(temp) FROM home", 400, "Error during planning: Invalid function 'avgg'.\nDid you mean 'avg'?"],
    ["SELECT * FROM nosuch(1)", 400, "Error during planning: table function 'nosuch' not found"],
    ["SELECT FROM home", 400, 'SQL error: ParserError("Expected: an expression, found: FROM at Line: 1, Column: 8")'],
    ["SELEC 1", 400, 'SQL error: ParserError("Expected: SELECT, VALUES, or a subquery in the query body, found: SELEC at Line: 1, Column: 1")'],
    ["DROP TABLE home", 405, "This feature is not implemented: DDL statements are not supported: DROP"],
    ["INSERT INTO home VALUES (1)", 405, "This feature is not implemented: DML statements are not supported: INSERT"],
    ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) FROM home", 400, "Error during planning: date_bin_gapfill may only be used as a GROUP BY expression"],
  ])("%s", async (sql, status, message) => {
    expect(await refused(sql)).toMatchObject({ status, message });
  });

  test("planner errors carry line, column and a hint", async () => {
    expect(await refused("SELECT room,\n  tmp FROM home")).toMatchObject({ details: { line: 2, column: 3 }, hint: 'did you mean "temp"' });
    expect((await refused("SELECT * FROM CASES")).hint).toContain('"Cases"');
    expect((await refused("SELECT tag, Value FROM \"Cases\" WHERE TIMES > 1")).hint).toBe('did you mean "time"');
  });

  test("an ungrouped column is named", async () => {
    const { message } = await refused("SELECT temp, count(*) FROM home GROUP BY room");
    expect(message).toContain('column "home.temp" must appear in the GROUP BY clause');
  });

  test("unknown database", async () => {
    await expect(server.service.query({ database: "nope", sql: "SELECT 1" })).rejects.toMatchObject({ code: "database.not_found", status: 404 });
  });
});
