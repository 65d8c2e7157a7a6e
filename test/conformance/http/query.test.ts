/** SQL queries over HTTP: spec http-api §7. */
import { describe, expect, it } from "vitest";
import type { QueryStream } from "../../../src/core/query/query-stream.ts";
import { failure, fakeWorld, json, send, streamOf } from "./fake-services.ts";
import { transport } from "./transport.ts";

const SQL = "/api/v3/query_sql";
const GET = `GET ${SQL}?db=x&q=SELECT%201`;

const RENDERED: Readonly<Record<string, string>> = {
  json: '[{"c0":"a"}]',
  jsonl: '{"c0":"a"}\n',
  csv: "c0\na\n",
  pretty: "+----+\n| c0 |\n+----+\n| a  |\n+----+",
};

describe("format (http-api §7)", () => {
  it.each([
    [undefined, undefined, "json", "application/json"],
    [undefined, "*/*", "json", "application/json"],
    [undefined, "application/json", "json", "application/json"],
    [undefined, "text/html,application/xhtml+xml", "json", "application/json"],
    [undefined, "image/png, */*;q=0.8", "json", "application/json"],
    [undefined, "text/csv", "csv", "text/csv"],
    [undefined, "text/plain", "pretty", "text/plain; charset=utf-8"],
    ["json", "text/csv", "json", "application/json"],
    ["jsonl", undefined, "jsonl", "application/jsonl"],
    ["json_lines", undefined, "jsonl", "application/jsonl"],
    ["csv", undefined, "csv", "text/csv"],
    ["pretty", undefined, "pretty", "text/plain; charset=utf-8"],
  ])("format=%s with Accept %s gives %s", async (format, accept, shown, type) => {
    const world = fakeWorld();
    world.rows = [["a"]];
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const viaGet = await send(world, `${GET}${format === undefined ? "" : `&format=${format}`}`, { headers });
    const viaPost = await send(world, `POST ${SQL}`, { body: JSON.stringify({ db: "x", q: "SELECT 1", format }), headers });
    for (const answer of [viaGet, viaPost]) {
      expect([answer.status, answer.text, answer.headers.get("content-type")]).toEqual([200, RENDERED[shown], type]);
    }
  });

  it.each(["application/jsonl", "application/json; charset=utf-8", "image/png"])("refuses Accept: %s, even with a format", async (accept) => {
    for (const line of [GET, `${GET}&format=json`]) {
      const { status, text } = await send(fakeWorld(), line, { headers: { accept } });
      expect([status, text]).toEqual([400, `invalid mime type (${accept})`]);
    }
  });

  it.each([`${GET}&format=parquet`, GET])("answers with a Parquet file: %s", async (line) => {
    const world = fakeWorld();
    world.rows = [["a"]];
    const answer = await send(world, line, { headers: line === GET ? { accept: "application/vnd.apache.parquet" } : {} });
    expect([answer.status, answer.headers.get("content-type"), answer.text.slice(0, 4), answer.text.slice(-4)]).toEqual([200, "application/vnd.apache.parquet", "PAR1", "PAR1"]);
  });
});

describe("parameters (http-api §7)", () => {
  it("hands over database, text and parameters", async () => {
    const world = fakeWorld();
    const params = { host: "a", n: 1, f: 1.5, b: true, none: null };
    await send(world, `${GET}&params=${encodeURIComponent(JSON.stringify(params))}`);
    await send(world, `POST ${SQL}`, { body: JSON.stringify({ db: "x", q: "SELECT 1", params }) });
    for (const [, request] of world.calls) {
      expect(request).toMatchObject({ database: "x", sql: "SELECT 1", parameters: new Map(Object.entries(params)) });
    }
    expect(world.calls.length).toBe(2);
  });

  it.each([
    [`GET ${SQL}`, "missing query parameters 'db' and 'q'"],
    [`GET ${SQL}?`, "missing query parameters 'db' and 'q'"],
    [`GET ${SQL}?db=x`, "serde error: missing field `q`"],
    [`GET ${SQL}?q=x`, "serde error: missing field `db`"],
    [`${GET}&format=xml`, "serde error: unknown variant `xml`, expected one of `pretty`, `json`, `jsonl`, `json_lines`, `csv`, `parquet`"],
    [`${GET}&params={"a":[1]}`, "serde json error: invalid query parameter: must be null, a boolean, a number or a string"],
  ])("%s answers 400 %s", async (line, text) => {
    const answer = await send(fakeWorld(), line);
    expect([answer.status, answer.text]).toEqual([400, text]);
  });

  it("reads a POST body whatever its content type says (http-api §4)", async () =>
    expect((await send(fakeWorld(), `POST ${SQL}`, { body: '{"db":"x","q":"y"}', headers: { "content-type": "text/plain" } })).status).toBe(200));
});

describe("errors (http-api §7)", () => {
  it.each([
    [failure("database.not_found", "Database not found x"), 404, '{"error":"query error: database not found: x","code":"query.database_not_found","hint":"databases are created by writing to them, or with: influxdb3 create database <NAME>"}'],
    [failure("query.invalid", "Error during planning: table 'public.iox.x' not found"), 400, "Error during planning: table 'public.iox.x' not found"],
    [failure("query.not_implemented", "This feature is not implemented: DROP"), 405, "This feature is not implemented: DROP"],
    [failure("query.failed", "Arrow error: Divide by zero error"), 500, "Arrow error: Divide by zero error"],
  ])("%s answers %i", async (error, status, text) => {
    const world = fakeWorld();
    world.failures.set("query", error);
    const answer = await send(world, GET);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  it("has a status for what fails before the first bytes left, and cuts the connection afterwards", async () => {
    let isClosed = 0;
    const failing = (rows: number): QueryStream => ({
      ...streamOf([["x"]]),
      batches: (async function* () {
        for (let row = 0; row < rows; row++) yield { rowCount: 1, columns: [["x".repeat(10_000)]] };
        throw failure("query.failed", "late");
      })(),
      close: () => Promise.resolve(void isClosed++),
    });
    const world = fakeWorld();
    world.services.queries.query = () => Promise.resolve(failing(1));
    expect((await send(world, GET)).status).toBe(500);
    world.services.queries.query = () => Promise.resolve(failing(20));
    await expect(send(world, GET)).rejects.toThrow(/late|cut/);
    expect(isClosed).toBe(2);
  });

  it("streams a large result and stops the query when the reader goes away", async () => {
    const MANY = 100_000;
    let produced = 0;
    let close: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const world = fakeWorld();
    world.services.queries.query = () =>
      Promise.resolve({
        ...streamOf([["x"]]),
        batches: (async function* () {
          for (; produced < MANY; produced++) yield { rowCount: 1, columns: [["x".repeat(10_000)]] };
        })(),
        close: () => Promise.resolve(close()),
      });
    expect(await transport().hangUp(world, GET)).toBeGreaterThan(0);
    await closed;
    // A gigabyte altogether: buffers of sockets hold a few megabytes of it.
    expect(produced).toBeLessThan(MANY / 10);
  });
});

describe("InfluxQL is refused in words", () => {
  it("as text on v3, as JSON with CORS on v1 (http-api §2, §14)", async () => {
    const v3 = await send(fakeWorld(), "POST /api/v3/query_influxql", json({ db: "x", q: "y" }));
    expect([v3.status, v3.text]).toEqual([405, "InfluxQL is not supported yet"]);
    const v1 = await send(fakeWorld(), "GET /query?db=x&q=y");
    expect(v1.status).toBe(405);
    expect(JSON.parse(v1.text)).toMatchObject({ error: "InfluxQL is not supported yet" });
    expect(v1.headers.get("access-control-allow-origin")).toBe("*");
  });
});
