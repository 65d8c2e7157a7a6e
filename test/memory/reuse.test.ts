// Goal: what queries answer is right while snapshots let go of rows and others take their memory (batches that the buffer
// uses again), whichever way a query goes: the direct loops, DuckDB, a cancelled one in between. Method: a real server with a
// small buffer; writers of large bodies whose sums are known; every answer about bodies that were acknowledged before the
// question is compared with them.
import { afterAll, describe, expect, it } from "vitest";
import { eventually, post, queryRows, removeFolder, startServer, temporaryFolder } from "../support/server.ts";

const SECONDS = Number(process.env["REUSE_SECONDS"] ?? 4);
const LINES = 10_000;
const HOSTS = 100;
const WRITERS = 3;
const START = 1_767_225_600_000_000_000n;
const SLOT_NS = 1_000_000_000n;

const folder = temporaryFolder();
afterAll(() => removeFolder(folder));

/** Body `id` has a second of its own; line `n` of host `n % HOSTS` has the value `id * 1000 + n % 1000`. */
function body(id: number): string {
  const start = START + BigInt(id) * SLOT_NS;
  return Array.from({ length: LINES }, (_, line) => `t,host=h${line % HOSTS} v=${id * 1000 + (line % 1000)}i,f=${line % 1000}.5 ${start + BigInt(line)}`).join("\n");
}

const sumOf = (id: number): number => LINES * id * 1000 + (LINES / 1000) * 499_500;
const isoOf = (id: number): string => new Date(Number((START + BigInt(id) * SLOT_NS) / 1_000_000n)).toISOString();

describe("memory of the buffer that is used again", () => {
  it(`changes no answer, for ${SECONDS} s`, { timeout: 120_000 }, async () => {
    const server = await startServer({ folder, flags: ["--buffer-size", "32mb"] });
    let running = true;
    const acknowledged: number[] = [];
    let next = 0;
    let asked = 0;
    const writer = async (): Promise<void> => {
      while (running) {
        const id = next++;
        const { status, text } = await post(server, "/api/v3/write_lp?db=d&precision=nanosecond", body(id));
        if (status === 204) acknowledged.push(id);
        else if (status !== 503) throw new Error(`${status} ${text}`);
      }
    };
    const question = async (): Promise<void> => {
      const id = acknowledged[(asked * 7_919) % acknowledged.length] as number;
      const range = `time >= '${isoOf(id)}' AND time < '${isoOf(id + 1)}'`;
      // Answered by our own loops, by DuckDB over buffer and files, and row by row.
      const [direct] = (await queryRows(server, "d", `SELECT sum(v) AS s, count(v) AS n FROM t WHERE ${range}`)) ?? [];
      expect(direct).toEqual({ s: sumOf(id), n: LINES });
      const [engine] = (await queryRows(server, "d", `SELECT sum(a.v + 0) AS s, count(DISTINCT a.host) AS n FROM t a WHERE ${range}`)) ?? [];
      expect(engine).toEqual({ s: sumOf(id), n: HOSTS });
      const rows = (await queryRows(server, "d", `SELECT v, f FROM t WHERE ${range} AND host = 'h7'`)) ?? [];
      expect([rows.length, rows.every(({ v, f }) => (v as number) === id * 1000 + Math.floor(f as number))]).toEqual([LINES / HOSTS, true]);
      asked++;
    };
    const reader = async (): Promise<void> => {
      await eventually("the first body to be stored", () => acknowledged[0]);
      while (running) await question();
    };
    // Readers that leave in the middle of an answer.
    const leaver = async (): Promise<void> => {
      await eventually("the first body to be stored", () => acknowledged[0]);
      while (running) {
        const stop = new AbortController();
        const answer = await fetch(`${server.url}/api/v3/query_sql?db=d&format=jsonl&q=${encodeURIComponent("SELECT a.v + 0 AS v FROM t a")}`, { signal: stop.signal });
        const reader = answer.body?.getReader();
        await reader?.read().catch(() => undefined);
        stop.abort();
        await reader?.closed.catch(() => undefined);
      }
    };
    const everybody = Promise.all([...Array.from({ length: WRITERS }, writer), reader(), reader(), leaver()]).finally(() => (running = false));
    const end = performance.now() + SECONDS * 1_000;
    // Without snapshots nothing is used again.
    const enough = async (): Promise<true | undefined> => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      const snapshots = Number(/^tidemark_snapshots_total (\d+)$/m.exec(metrics)?.[1]);
      return !running || (performance.now() > end && snapshots > 3 && asked > 3) ? true : undefined;
    };
    await eventually("snapshots and answers", enough, 90_000);
    running = false;
    await everybody;
    const [all] = (await queryRows(server, "d", "SELECT count(*) AS n FROM t")) ?? [];
    expect(all).toEqual({ n: acknowledged.length * LINES });
    await server.stop("SIGKILL");
  });
});
