/** Queries that would eat memory or time inside the engine, where it neither counts nor stops: each is refused in its row. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOME, openServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer({ tables: [HOME] });
});
afterAll(() => server.close());

const LIMITS = { rowsMax: 100_000, bytesMax: 8 * 1024 * 1024 };
const BIG = "repeat('x', 16000)";
const chain = (text: string, count: number): string => Array.from({ length: count }, () => text).join(" || ");

describe("a bomb ends within its limits", () => {
  test.each([
    ["repeat", "SELECT repeat('x', 1000000)", "repeat makes more than"],
    ["repeat of repeat", "SELECT length(repeat(repeat('x', 10000), 10000))", "repeat makes more than"],
    ["replace", `SELECT length(replace(${BIG} || room, 'x', '${"y".repeat(100)}')) FROM home`, "replace makes more than"],
    ["regexp_replace", `SELECT length(regexp_replace(${BIG} || room, 'x', '${"y".repeat(100)}', 'g')) FROM home`, "regexp_replace makes more than"],
    ["regexp_replace naming a group often", `SELECT length(regexp_replace(${BIG} || room, '(.*)', '${"$1".repeat(100)}')) FROM home`, "regexp_replace makes more than"],
    ["a long literal", `SELECT room || '${"x".repeat(70_000)}' FROM home`, "longer than 65536"],
    ["lists that double", `SELECT array_length(x) FROM (${Array.from({ length: 22 }).reduce<string>((inner) => `SELECT array_concat(x, x) AS x FROM (${inner})`, "SELECT range(1, 1000) AS x")})`, "Resources exhausted"],
    ["overlay", `SELECT overlay(x PLACING x FROM 1) FROM (SELECT ${chain(BIG, 7)} || room AS x FROM home) AS t`, "overlay makes more than"],
    ["||", `SELECT length(${chain("x", 20)}) FROM (SELECT ${BIG} || room AS x FROM home) AS t`, "|| makes more than"],
    ["|| nested", `SELECT x || x || x || x FROM (SELECT x || x || x || x AS x FROM (SELECT ${BIG} || room AS x FROM home) AS a) AS b`, "|| makes more than"],
    ["concat", `SELECT length(concat(${Array.from({ length: 20 }, () => "x").join(", ")})) FROM (SELECT ${BIG} || room AS x FROM home) AS t`, "concat makes more than"],
    ["levenshtein", `SELECT levenshtein(${BIG}, ${BIG})`, "too long"],
    ["many growing calls", `SELECT ${Array.from({ length: 40 }, (_, index) => `${BIG} AS c${index}`).join(", ")} FROM home`, "functions that make longer texts"],
    ["a cross join", "SELECT a.temp FROM home a, home b, home c, home d, home e", "larger than"],
  ])("%s", async (_name, sql, message) => {
    await expect(server.service.queryTableBatch({ database: "db", sql }, LIMITS)).rejects.toThrow(message);
  });

  test("what only takes time ends at the query's timeout, and its place is free", async () => {
    const hasty = await openServer({ tables: [HOME], timeoutMs: 300 });
    try {
      for (const sql of ["SELECT sum(value % 7) FROM generate_series(1, 1000000000000)", "SELECT count(*) FROM home a, home b, home c, home d, home e, home f, home g, home h WHERE a.temp + h.temp < b.hum"]) {
        await expect(hasty.run(sql), sql).rejects.toMatchObject({ code: "query.time_limit" });
      }
      expect(hasty.engine.statistics()).toMatchObject({ running: 0, waiting: 0 });
    } finally {
      await hasty.close();
    }
  });

  test("a series that is longer than any memory streams until it is left", async () => {
    await expect(server.service.queryTableBatch({ database: "db", sql: "SELECT * FROM generate_series(1, 1000000000000)" }, LIMITS)).rejects.toThrow("larger than");
  });

  test("lpad is cut to its limit", async () => {
    expect(await server.run("SELECT length(lpad('x', 1000000000)) AS n")).toContain("16384");
  });

  test("texts of usual length are joined as ever, NULL included", async () => {
    const sql = "SELECT room || '/' || room || '-' || CAST(1 AS VARCHAR) AS a, concat(room, NULL, '!', room) AS b, room || NULL AS c FROM home WHERE room = 'Kitchen' LIMIT 1";
    expect(await server.run(sql)).toContain('{"a":"Kitchen/Kitchen-1","b":"Kitchen!Kitchen"');
    const grouped = "SELECT room || room || 'x' AS a, count(*) AS n FROM home WHERE room = 'Kitchen' GROUP BY room || room";
    expect(await server.run(grouped)).toContain('"a":"KitchenKitchenx"');
  });
});
