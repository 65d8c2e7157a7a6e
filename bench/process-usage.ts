/** What a server process has used, read from /proc. Linux only. */
import { readFileSync } from "node:fs";

/** The kernel counts process times in hundredths of a second. */
const TICKS_PER_SECOND = 100;
const QUIET_MS = 500;
const QUIET_CPU_SECONDS = 0.02;

/** All threads, user and system. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export const peakBytes = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;

/** Waits until the process rests: what it does in the background after a start is not the workload's. */
export async function settled(pid: number): Promise<void> {
  for (let before = -1, now = cpuSeconds(pid); now - before > QUIET_CPU_SECONDS; now = cpuSeconds(pid)) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}
