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
    ["||", `SELECT length(${chain("x", 20)}) FROM (SELECT ${BIG} || room AS x FROM home) AS t`, "|| makes more than"],
    ["|| nested", `SELECT x || x || x || x FROM (SELECT x || x || x || x AS x FROM (SELECT ${BIG} || room AS x FROM home) AS a) AS b`, "|| makes more than"],
    ["concat", `SELECT length(concat(${Array.from({ length: 20 }, () => "x").join(", ")})) FROM (SELECT ${BIG} || room AS x FROM home) AS t`, "concat makes more than"],
    ["levenshtein", `SELECT levenshtein(${BIG}, ${BIG})`, "too long"],
    ["many growing calls", `SELECT ${Array.from({ length: 40 }, (_, index) => `${BIG} AS c${index}`).join(", ")} FROM home`, "functions that make longer texts"],
    ["a cross join", "SELECT a.temp FROM home a, home b, home c, home d, home e", "larger than"],
  ])("%s", async (_name, sql, message) => {
    await expect(server.service.queryTableBatch({ database: "db", sql }, LIMITS)).rejects.toThrow(message);
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
