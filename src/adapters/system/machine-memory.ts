/** How much memory this process may use: the machine's, or its container's where that is less. */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

/** Version 2, then version 1; below the root a container sees its own group there. */
const CGROUP_FILES = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

export function machineMemoryBytes(read: (path: string) => string = (path) => readFileSync(path, "utf8"), total: number = totalmem()): number {
  const limits = CGROUP_FILES.map((path) => {
    try {
      // "max": no limit.
      return Number(read(path).trim());
    } catch {
      return Number.NaN;
    }
  });
  return limits.filter((limit) => limit > 0 && Number.isFinite(limit)).reduce((least, limit) => Math.min(least, limit), total);
}

/** Resident memory of this process. */
export const residentBytes = (): number => process.memoryUsage.rss();
