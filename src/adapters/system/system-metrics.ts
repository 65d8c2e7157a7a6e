/**
 * Figures of the machine for plugins that were granted them, in the shape that the guest's `psutil` reads
 * (runtime-wasm/python/modules/psutil.py). Without /proc, what Node tells; what nobody tells is 0. No names of users, files
 * or processes; of the disks what is mounted where.
 */
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import type { SystemGroup } from "../../core/trigger/grants.ts";
import { parseCpuInfo, parseDiskStats, parseFaults, parseMemInfo, parseNetDev, parsePartitions, parseSmaps, parseStat, parseStatm, parseSwapped } from "./proc-files.ts";

const PAGE_BYTES = 4_096;
const MS_PER_SECOND = 1_000;

/** `folder`: the file system that is told of where the system lists none. The answer is JSON. */
export function readSystemMetrics(group: SystemGroup, folder: string): string {
  return JSON.stringify(METRICS[group](folder));
}

const METRICS: Readonly<Record<SystemGroup, (folder: string) => unknown>> = { cpu, memory, disk, network };

/** Undefined where the system has no such file. */
function proc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

function cpu(): unknown {
  const text = proc("stat");
  const info = parseCpuInfo(proc("cpuinfo") ?? "");
  const count = availableParallelism();
  const each = cpus().map(({ times: { user, nice, sys, idle, irq } }) => [user, nice, sys, idle, 0, irq, 0, 0, 0, 0].map((ms) => ms / MS_PER_SECOND));
  const stat = text === undefined ? { times: [sum(each), ...each], contextSwitches: 0, interrupts: 0, softInterrupts: 0, bootTime: Math.round(Date.now() / MS_PER_SECOND - uptime()) } : parseStat(text);
  return {
    count,
    cores: info.cores === 0 ? count : info.cores,
    times: stat.times,
    stats: [stat.contextSwitches, stat.interrupts, stat.softInterrupts, 0],
    frequencies: info.frequencies.length > 0 ? info.frequencies : cpus().filter(({ speed }) => speed > 0).map(({ speed }) => [speed, 0, 0]),
    load_average: loadavg(),
    boot_time: stat.bootTime,
    processes: processCount(),
  };
}

const sum = (rows: readonly (readonly number[])[]): readonly number[] => (rows[0] ?? []).map((_, column) => rows.reduce((total, row) => total + (row[column] ?? 0), 0));

function processCount(): number {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  } catch {
    return 1;
  }
}

function memory(): unknown {
  const info = parseMemInfo(proc("meminfo") ?? "");
  const of = (name: string, otherwise = 0): number => info.get(name) ?? otherwise;
  const [swappedIn, swappedOut] = parseSwapped(proc("vmstat") ?? "");
  const own = process.memoryUsage();
  const statm = proc("self/statm");
  const basic = statm === undefined ? [own.rss, own.rss, 0, 0, 0, own.heapTotal, 0] : parseStatm(statm, PAGE_BYTES);
  const detailed = proc("self/smaps_rollup");
  return {
    total: of("MemTotal", totalmem()),
    available: of("MemAvailable", freemem()),
    free: of("MemFree", freemem()),
    active: of("Active"),
    inactive: of("Inactive"),
    buffers: of("Buffers"),
    cached: of("Cached") + of("SReclaimable"),
    shared: of("Shmem"),
    slab: of("Slab"),
    swap: [of("SwapTotal"), of("SwapFree"), swappedIn, swappedOut],
    process: [...basic, ...(detailed === undefined ? [own.rss, own.rss, 0] : parseSmaps(detailed))],
    page_faults: parseFaults(proc("self/stat") ?? ""),
  };
}

function disk(folder: string): unknown {
  const mounts = proc("mounts");
  const partitions = mounts === undefined ? [["", folder, "", ""] as const] : parsePartitions(mounts, proc("filesystems") ?? "");
  return {
    partitions,
    usage: partitions.flatMap(([, mountpoint]) => usageOf(mountpoint)),
    io: parseDiskStats(proc("diskstats") ?? ""),
  };
}

/** As `df` counts: what only root may use is neither used nor free. Nothing where the place cannot be looked at. */
function usageOf(mountpoint: string): readonly (readonly [mountpoint: string, total: number, used: number, free: number])[] {
  try {
    const { bsize, blocks, bfree, bavail } = statfsSync(mountpoint);
    return [[mountpoint, blocks * bsize, (blocks - bfree) * bsize, bavail * bsize]];
  } catch {
    return [];
  }
}

function network(): unknown {
  return { interfaces: parseNetDev(proc("net/dev") ?? "") };
}
