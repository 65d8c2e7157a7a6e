// Goal: a result of any size takes bounded memory of the server and ends when its reader goes; queries that are too long or
// need too much memory end with an error of their own. Method: a real server with tight limits and 3,000 rows, whose cross
// join has 27 thousand million; a reader that takes a little and waits, and one that leaves. LARGE_RESULT_ROWS=10000000 also
// reads that many rows in each format and prints the memory that it took.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";

const ROWS = 3_000;
const HUGE = "SELECT a.time, a.host, a.value, b.number FROM t a, t b, t c";
/** Beside the rows that wait in the engine, the socket and here; the whole result would be thousands of this. */
const GROWTH_MB_MAX = 250;
const READ_ROWS = Number(process.env["LARGE_RESULT_ROWS"] ?? 0);

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--query-timeout", "10m", "--max-concurrent-queries", "1", "--exec-mem-pool-bytes", "64mb", "--query-log-size", "50"] });
  const lines = Array.from({ length: ROWS }, (_, index) => `t,host=h${index % 10} value=${index}.5,number=${index}i ${1_700_000_000_000_000_000n + BigInt(index)}`);
  expect((await post(server, "/api/v3/write_lp?db=d&precision=nanosecond", lines.join("\n"))).status).toBe(204);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

const memoryMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1]) / 1024;
const ask = (sql: string, more: { format?: string; signal?: AbortSignal } = {}): Promise<Response> =>
  fetch(`${server.url}/api/v3/query_sql?db=d&format=${more.format ?? "jsonl"}&q=${encodeURIComponent(sql)}`, more.signal === undefined ? {} : { signal: more.signal });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a result of thousands of millions of rows", () => {
  it("waits for its reader, and is cancelled when the reader goes", { timeout: 60_000 }, async () => {
    await queryRows(server, "d", "SELECT * FROM t");
    const before = memoryMb();
    const stop = new AbortController();
    const reader = ((await ask(HUGE, { signal: stop.signal })).body as ReadableStream<Uint8Array>).getReader();
    for (let piece = 0; piece < 20; piece++) await reader.read();
    await pause(1_500);
    expect(memoryMb() - before).toBeLessThan(GROWTH_MB_MAX);
    stop.abort();
    // The only place is free again, so the next query gets it; the log says how the other ended.
    const ended = await eventually("the cancelled query", async () => {
      const rows = await queryRows(server, "d", "SELECT phase, cancelled FROM system.queries WHERE query_text LIKE 'SELECT a.time%' AND NOT running");
      return rows?.length === 1 ? rows[0] : undefined;
    });
    expect(ended).toEqual({ phase: "cancel", cancelled: true });
  });

  it.runIf(READ_ROWS > 0).each(["json", "jsonl", "csv", "parquet"])("as %s takes little memory", { timeout: 600_000 }, async (format) => {
    const before = memoryMb();
    let peak = 0;
    let bytes = 0;
    let pieces = 0;
    for await (const piece of (await ask(`SELECT a.time, a.host, a.value, b.number FROM t a, t b LIMIT ${READ_ROWS}`, { format })).body as unknown as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (pieces++ % 200 === 0) peak = Math.max(peak, memoryMb());
    }
    process.stdout.write(`${format}: ${READ_ROWS} rows, ${Math.round(bytes / 1e6)} MB, server grew by ${Math.round(peak - before)} MB to ${Math.round(peak)} MB\n`);
    expect(peak - before).toBeLessThan(GROWTH_MB_MAX);
  });
});

describe("limits of a query (spec: query §6)", () => {
  it("memory: an error of its own, and the server goes on", { timeout: 60_000 }, async () => {
    const refused = await ask("SELECT length(string_agg(a.host || CAST(b.value AS VARCHAR), ',')) FROM t a, t b");
    expect([refused.status, refused.headers.get("tidemark-code"), await refused.text()]).toEqual([500, "query.memory_limit", expect.stringContaining("Resources exhausted")]);
    expect(await queryRows(server, "d", "SELECT count(*) AS n FROM t")).toEqual([{ n: ROWS }]);
  });

  it("time: the query is stopped, and says after what", { timeout: 60_000 }, async () => {
    const limited = await startServer({ flags: ["--query-timeout", "300ms"] });
    try {
      await post(limited, "/api/v3/write_lp?db=d&precision=nanosecond", Array.from({ length: ROWS }, (_, index) => `t value=${index} ${index + 1}`).join("\n"));
      const response = await fetch(`${limited.url}/api/v3/query_sql?db=d&q=${encodeURIComponent("SELECT sum(a.value * b.value * c.value) AS s FROM t a, t b, t c")}`);
      expect([response.status, response.headers.get("tidemark-code"), await response.text()]).toEqual([500, "query.time_limit", "Query was stopped after 300 ms"]);
    } finally {
      await limited.stop("SIGKILL");
      removeFolder(limited.folder);
    }
  });
});
