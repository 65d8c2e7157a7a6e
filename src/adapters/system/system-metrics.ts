/** Figures of the machine for plugins that were granted them. No names of users, files or processes. */
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import type { SystemGroup } from "../../core/trigger/grants.ts";

/** Texts of Linux' /proc are a few kilobytes. */
const INTERFACES_MAX = 256;

/** `folder`: the file system whose size is told. The answer is JSON. */
export function readSystemMetrics(group: SystemGroup, folder: string): string {
  switch (group) {
    case "cpu":
      return JSON.stringify({ count: availableParallelism(), load_average: loadavg(), uptime_seconds: uptime(), times_ms: cpus().map(({ times }) => times) });
    case "memory":
      return JSON.stringify({ total_bytes: totalmem(), available_bytes: freemem() });
    case "disk": {
      const { bsize, blocks, bavail } = statfsSync(folder);
      return JSON.stringify({ total_bytes: blocks * bsize, available_bytes: bavail * bsize });
    }
    case "network":
      return JSON.stringify({ interfaces: networkCounters() });
  }
}

/** Bytes and packets by interface; empty where the system does not tell. */
function networkCounters(): Record<string, unknown>[] {
  let text: string;
  try {
    text = readFileSync("/proc/net/dev", "utf8");
  } catch {
    return [];
  }
  return text.split("\n").slice(2, 2 + INTERFACES_MAX).flatMap((line) => {
    const [name, rest] = line.split(":");
    const fields = (rest ?? "").trim().split(/\s+/).map(Number);
    if (name === undefined || fields.length < 10) return [];
    return [{ name: name.trim(), received_bytes: fields[0], received_packets: fields[1], sent_bytes: fields[8], sent_packets: fields[9] }];
  });
}
