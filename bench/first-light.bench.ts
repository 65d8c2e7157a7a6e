// The newcomer's figures: server start to ready, memory at idle, package size, write to derived row.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createTrigger, eventually, post, queryRows, removeFolder, startServer } from "../test/support/server.ts";
import { quantile, report } from "./report.ts";

const STARTS = 5;
const WRITES = 15;
/** A trigger is idle when its last call is longer ago than the flush interval. */
const IDLE_MS = 1200;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const residentBytes = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;

const startsMs: number[] = [];
for (let round = 0; round < STARTS; round++) {
  const started = performance.now();
  const server = await startServer();
  startsMs.push(performance.now() - started);
  await server.stop("SIGKILL");
  removeFolder(server.folder);
}
report("first-light", "start_to_ready_ms", quantile(startsMs, 0.5), "ms", { rounds: STARTS });

const server = await startServer();
await post(server, "/api/v3/configure/database", { db: "bench" });
await pause(1000);
report("first-light", "rss_idle_no_trigger", residentBytes(server.process.pid as number), "bytes");
await createTrigger(server, { database: "bench", name: "t", specification: "table:home", plugin: "tutorial/process_writes.py" });
const latenciesMs: number[] = [];
for (let round = 0; round < WRITES; round++) {
  await post(server, "/api/v3/write_lp?db=bench", `home,room=kitchen temp=${round}`);
  const answered = performance.now();
  await eventually("the derived row", async () => {
    const rows = await queryRows(server, "bench", "SELECT count(*) AS n FROM processed_data");
    return rows?.[0]?.["n"] === round + 1 ? true : undefined;
  });
  latenciesMs.push(performance.now() - answered);
  await pause(IDLE_MS);
}
report("first-light", "write_to_derived_row_ms_p50", quantile(latenciesMs, 0.5), "ms", { rounds: WRITES, poll_ms: 20 });
report("first-light", "write_to_derived_row_ms_max", Math.max(...latenciesMs), "ms", { rounds: WRITES, first_ms: Math.round(latenciesMs[0] ?? 0) });
report("first-light", "rss_idle_one_trigger", residentBytes(server.process.pid as number), "bytes");
await server.stop();
removeFolder(server.folder);

const packed = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })) as { size: number; unpackedSize: number }[];
report("first-light", "package_size", packed[0]?.size ?? Number.NaN, "bytes", { unpacked: packed[0]?.unpackedSize });
