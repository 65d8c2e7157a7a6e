// Goal: slow queries take no time from commits (design §8.3: with fdatasync in libuv's pool it once took three seconds).
// Method: a real server on a file store; eight heavy queries run again and again while small writes are timed. The bound
// is wide, since tests share the machine; what it must tell apart is milliseconds from a query's length.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";

const QUERIES = 8;
const ROWS = 60_000;
const ROWS_PER_BODY = 10_000;
const SECONDS = 4;
const P50_MS_MAX = 100;
const P99_MS_MAX = 1_000;
/** Every row against every row of its hundredth: seconds of work for the SQL engine, little for the result. */
const SLOW = "SELECT count(*) AS n FROM m AS a JOIN m AS b ON a.bucket = b.bucket WHERE a.value + b.value > 0.5";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (let first = 0; first < ROWS; first += ROWS_PER_BODY) {
    const lines = Array.from({ length: ROWS_PER_BODY }, (_, index) => `m,host=h${index % 50} value=${(first + index) % 97},bucket=${index % 60}i ${1_700_000_000_000_000_000n + BigInt(first + index)}`);
    expect((await post(server, "/api/v3/write_lp?db=d&precision=nanosecond", lines.join("\n"))).status).toBe(204);
  }
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

const quantile = (samples: readonly number[], share: number): number => [...samples].sort((a, b) => a - b)[Math.floor(samples.length * share)] as number;

describe("commits beside slow queries", () => {
  it(`keep their latency while ${QUERIES} queries run`, { timeout: 120_000, retry: 1 }, async () => {
    let running = true;
    const queriesMs: number[] = [];
    const client = async (): Promise<void> => {
      while (running) {
        const started = performance.now();
        const rows = await queryRows(server, "d", SLOW);
        // Too many at once may be refused; then another one runs.
        if (rows !== undefined) queriesMs.push(performance.now() - started);
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const clients = Array.from({ length: QUERIES }, client);
    const latencies: number[] = [];
    const end = performance.now() + SECONDS * 1000;
    for (let write = 0; performance.now() < end; write++) {
      const started = performance.now();
      expect((await post(server, "/api/v3/write_lp?db=d", `w value=${write}`)).status).toBe(204);
      latencies.push(performance.now() - started);
    }
    running = false;
    await Promise.all(clients);
    const shown = `p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms of ${latencies.length} writes; ${queriesMs.length} queries of ${quantile(queriesMs, 0.5).toFixed(0)} ms`;
    expect(queriesMs.length, shown).toBeGreaterThan(0);
    expect(quantile(queriesMs, 0.5), shown).toBeGreaterThan(100);
    expect(quantile(latencies, 0.5), shown).toBeLessThan(P50_MS_MAX);
    expect(quantile(latencies, 0.99), shown).toBeLessThan(P99_MS_MAX);
    process.stdout.write(`${shown}\n`);
  });
});
