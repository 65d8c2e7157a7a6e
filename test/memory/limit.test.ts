// Goal: the server's memory stays within the number it was given: under full ingest with queries and a trigger, and while a
// WAL is replayed that is far larger than its buffer. Method: a real server process; the system's own count of its resident
// peak (VmHWM, Linux). `REPLAY_MB` sets the size of the WAL, `INGEST_SECONDS` the time of the ingest.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTrigger, post, queryRows, removeFolder, startServer, temporaryFolder, type TestServer } from "../support/server.ts";

const REPLAY_MB = Number(process.env["REPLAY_MB"] ?? 100);
const INGEST_SECONDS = Number(process.env["INGEST_SECONDS"] ?? 12);
const LIMIT_MB = 640;
const WAIT_MS = 600_000;

const folders = [temporaryFolder(), temporaryFolder()] as const;
afterAll(() => folders.forEach(removeFolder));

const isLinux = process.platform === "linux";

const peakMb = (server: TestServer): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.process.pid}/status`, "utf8"))?.[1]) / 1024;

const LINES_PER_BODY = 5_000;
const START = 1_767_225_600_000_000_000n;

/** TSBS-like: ten tags, ten floats, moving forward. */
function body(index: number): string {
  const lines: string[] = [];
  for (let line = 0; line < LINES_PER_BODY; line++) {
    const host = line % 500;
    const tags = Array.from({ length: 9 }, (_, tag) => `,tag${tag}=value_${(host * (tag + 3)) % 97}`).join("");
    const fields = Array.from({ length: 10 }, (_, field) => `f${field}=${((index * 31 + line * 7 + field) % 1000) / 10}`).join(",");
    lines.push(`cpu,host=host_${host}${tags} ${fields} ${START + BigInt(index) * 10_000_000_000n + BigInt(Math.floor(line / 500)) * 1_000_000_000n}`);
  }
  return lines.join("\n");
}

const bodies = Array.from({ length: 40 }, (_, index) => body(index));

/** The n-th body, of a time of its own. */
const bodyAt = (index: number): string => {
  const shift = BigInt(Math.floor(index / bodies.length) * bodies.length) * 10_000_000_000n;
  return shift === 0n ? (bodies[index % bodies.length] as string) : (bodies[index % bodies.length] as string).replaceAll(/ (\d{19})$/gm, (_, time: string) => ` ${BigInt(time) + shift}`);
};

const walBytes = (folder: string): number => {
  const wal = join(folder, "data", "node0", "wal");
  return readdirSync(wal).reduce((sum, name) => sum + statSync(join(wal, name)).size, 0);
};

describe.skipIf(!isLinux)(`memory within ${LIMIT_MB} MB`, () => {
  it(`under full ingest for ${INGEST_SECONDS} s, with queries and a trigger`, { timeout: WAIT_MS }, async () => {
    const server = await startServer({ folder: folders[0], flags: ["--memory-limit", `${LIMIT_MB}mb`, "--wal-snapshot-size", "5"] });
    expect((await post(server, "/api/v3/plugins/files", { plugin_name: "count.py", content: "def process_writes(local, batches, args):\n    for batch in batches:\n        local.info(len(batch['rows']))\n" })).status).toBe(200);
    expect((await post(server, "/api/v3/configure/database", { db: "m" })).status).toBe(200);
    await createTrigger(server, { database: "m", name: "count", specification: "table:cpu", plugin: "count.py" });
    const end = performance.now() + INGEST_SECONDS * 1_000;
    let sent = 0;
    let stored = 0;
    let queries = 0;
    const writer = async (): Promise<void> => {
      while (performance.now() < end) {
        const { status } = await post(server, "/api/v3/write_lp?db=m&precision=nanosecond", bodyAt(sent++));
        // Told to come back is an answer too: that is how memory stays bounded.
        expect([204, 429, 503]).toContain(status);
        if (status === 204) stored += LINES_PER_BODY;
      }
    };
    const reader = async (): Promise<void> => {
      while (performance.now() < end) {
        const rows = await queryRows(server, "m", "SELECT host, max(f0) AS top, avg(f1) AS mean FROM cpu GROUP BY host ORDER BY host LIMIT 10");
        queries += rows === undefined ? 0 : 1;
      }
    };
    await Promise.all([writer(), writer(), writer(), writer(), reader(), reader()]);
    const counted = await fetch(`${server.url}/api/v3/query_sql?db=m&format=json&q=${encodeURIComponent("SELECT count(*) AS n FROM cpu")}`).then((answer) => answer.text());
    expect(counted).toBe(`[{"n":${stored}}]`);
    expect(stored).toBeGreaterThan(0);
    const parts = (await queryRows(server, "m", "SELECT part, limit_bytes, used_bytes, peak_bytes FROM system.memory")) ?? [];
    const over = parts.filter((row) => !["total", "kernels", "process"].includes(String(row["part"])) && Number(row["peak_bytes"]) > Number(row["limit_bytes"]));
    expect(over.map((row) => JSON.stringify(row))).toEqual([]);
    const peak = peakMb(server);
    await server.stop("SIGKILL");
    process.stdout.write(`${JSON.stringify({ limitMb: LIMIT_MB, peakMb: Math.round(peak), storedRows: stored, queries })}\n`);
    expect(peak).toBeLessThanOrEqual(LIMIT_MB);
  });

  it(`while a WAL of ${REPLAY_MB} MB is replayed`, { timeout: WAIT_MS }, async () => {
    const [, folder] = folders;
    // A buffer that keeps all of it in memory and so in the WAL.
    const first = await startServer({ folder, flags: ["--memory-limit", `${1_500 + REPLAY_MB * 6}mb`, "--buffer-size", `${256 + REPLAY_MB * 4}mb`, "--wal-snapshot-size", "100000"] });
    let sent = 0;
    let stored = 0;
    const writer = async (): Promise<void> => {
      while (walBytes(folder) < REPLAY_MB * 1_048_576) {
        if ((await post(first, "/api/v3/write_lp?db=m&precision=nanosecond", bodyAt(sent++))).status === 204) stored += LINES_PER_BODY;
      }
    };
    await Promise.all([writer(), writer()]);
    await first.stop("SIGKILL");
    const walMb = walBytes(folder) / 1_048_576;
    const startedMs = performance.now();
    const server = await startServer({ folder, startMsMax: WAIT_MS, flags: ["--memory-limit", `${LIMIT_MB}mb`] });
    const startMs = performance.now() - startedMs;
    const [buffer] = (await queryRows(server, "m", "SELECT limit_bytes, peak_bytes FROM system.memory WHERE part = 'buffer'")) ?? [];
    const [count] = (await queryRows(server, "m", "SELECT count(*) AS n FROM cpu")) ?? [];
    const peak = peakMb(server);
    await server.stop("SIGKILL");
    process.stdout.write(`${JSON.stringify({ limitMb: LIMIT_MB, peakMb: Math.round(peak), walMb: Math.round(walMb), rows: stored, startSeconds: Math.round(startMs / 100) / 10 })}\n`);
    expect(count?.["n"]).toBe(stored);
    // The WAL is larger than the buffer: rows went to Parquet while it was read.
    expect(walMb * 1_048_576).toBeGreaterThan(Number(buffer?.["limit_bytes"]));
    expect(buffer?.["peak_bytes"]).toBeLessThanOrEqual(Number(buffer?.["limit_bytes"]));
    expect(peak).toBeLessThanOrEqual(LIMIT_MB);
  });
});
