/** Texts of Linux' /proc, read as psutil 5.9 reads them (its `_pslinux.py` says which column is what). */

/** Entries of one list that are looked at. */
const ENTRIES_MAX = 512;
/** The kernel counts processor time in hundredths of a second for every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const SECTOR_BYTES = 512;
const KILOBYTE = 1_024;
const CPU_TIMES = 10;

const lines = (text: string): readonly string[] => text.split("\n").slice(0, ENTRIES_MAX * 4);
const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);

export interface ProcStat {
  /** Seconds: all processors together, then each one. */
  readonly times: readonly (readonly number[])[];
  readonly contextSwitches: number;
  readonly interrupts: number;
  readonly softInterrupts: number;
  /** Seconds since the Unix epoch. */
  readonly bootTime: number;
}

/** /proc/stat */
export function parseStat(text: string): ProcStat {
  const counter = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0);
  const times = lines(text).filter((line) => /^cpu\d*\s/.test(line)).slice(0, ENTRIES_MAX).map((line) => {
    const ticks = numbers(line.replace(/^cpu\d*\s+/, ""));
    return Array.from({ length: CPU_TIMES }, (_, index) => (ticks[index] ?? 0) / TICKS_PER_SECOND);
  });
  return { times, contextSwitches: counter("ctxt"), interrupts: counter("intr"), softInterrupts: counter("softirq"), bootTime: counter("btime") };
}

/** /proc/cpuinfo: MHz of each processor, and how many cores there are. */
export function parseCpuInfo(text: string): { readonly frequencies: readonly (readonly number[])[]; readonly cores: number } {
  const megahertz = [...text.matchAll(/^cpu MHz\s*:\s*([\d.]+)/gm)].slice(0, ENTRIES_MAX).map((match) => Number(match[1]));
  const cores = new Set(text.split(/\n\s*\n/).flatMap((block) => {
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    return core === undefined ? [] : [`${/^physical id\s*:\s*(\d+)/m.exec(block)?.[1] ?? 0}/${core}`];
  }));
  return { frequencies: megahertz.map((current) => [current, 0, 0]), cores: cores.size };
}

/** /proc/meminfo: bytes by name. */
export function parseMemInfo(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^([A-Za-z_()]+):\s+(\d+) kB/gm)].map((match) => [match[1] as string, Number(match[2]) * KILOBYTE]));
}

/** /proc/vmstat: bytes that were swapped in and out. */
export function parseSwapped(text: string): readonly [swappedIn: number, swappedOut: number] {
  const pages = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0) * 4 * KILOBYTE;
  return [pages("pswpin"), pages("pswpout")];
}

/** Of /proc/mounts, the file systems that lie on a device (/proc/filesystems says which do). */
export function parsePartitions(mounts: string, filesystems: string): readonly (readonly [device: string, mountpoint: string, type: string, options: string])[] {
  const onDevices = new Set(lines(filesystems).flatMap((line) => (line.startsWith("nodev") || line.trim() === "" ? [] : [line.trim()])));
  const unescape = (text: string): string => text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return lines(mounts).flatMap((line): [string, string, string, string][] => {
    const [device, mountpoint, type, options] = line.split(" ");
    if (device === undefined || mountpoint === undefined || type === undefined || options === undefined || !onDevices.has(type)) return [];
    return [[unescape(device), unescape(mountpoint), type, options]];
  }).slice(0, ENTRIES_MAX);
}

/** /proc/diskstats: the nine counters of psutil's `sdiskio` by device, partitions among them. */
export function parseDiskStats(text: string): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    lines(text).slice(0, ENTRIES_MAX).flatMap((line): [string, number[]][] => {
      const [, , name, ...rest] = line.trim().split(/\s+/);
      const [reads, readsMerged, sectorsRead, readMs, writes, writesMerged, sectorsWritten, writeMs, , busyMs] = rest.map(Number);
      if (name === undefined || busyMs === undefined || /^(?:loop|ram)\d/.test(name)) return [];
      return [[name, [reads, writes, (sectorsRead as number) * SECTOR_BYTES, (sectorsWritten as number) * SECTOR_BYTES, readMs, writeMs, readsMerged, writesMerged, busyMs] as number[]]];
    }),
  );
}

/** /proc/net/dev: the eight counters of psutil's `snetio` by interface. */
export function parseNetDev(text: string): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    lines(text).slice(2, 2 + ENTRIES_MAX).flatMap((line): [string, number[]][] => {
      const [name, rest] = line.split(/:(.*)/s);
      const fields = numbers(rest ?? "");
      if (name === undefined || fields.length < 16) return [];
      const [bytesIn, packetsIn, errorsIn, dropsIn, , , , , bytesOut, packetsOut, errorsOut, dropsOut] = fields as [number, number, number, number, number, number, number, number, number, number, number, number];
      return [[name.trim(), [bytesOut, bytesIn, packetsOut, packetsIn, errorsIn, errorsOut, dropsIn, dropsOut]]];
    }),
  );
}

/** /proc/self/statm, in bytes: rss, vms, shared, text, lib, data, dirty (psutil's `pmem`). */
export function parseStatm(text: string, pageBytes: number): readonly number[] {
  const [size = 0, resident = 0, shared = 0, code = 0, library = 0, data = 0, dirty = 0] = numbers(text).map((pages) => pages * pageBytes);
  return [resident, size, shared, code, library, data, dirty];
}

/** /proc/self/smaps_rollup, in bytes: uss, pss, swap. */
export function parseSmaps(text: string): readonly [unique: number, proportional: number, swapped: number] {
  const bytes = (name: string): number => [...text.matchAll(new RegExp(`^${name}:\\s+(\\d+) kB`, "gm"))].reduce((sum, match) => sum + Number(match[1]) * KILOBYTE, 0);
  return [bytes("Private_Clean") + bytes("Private_Dirty") + bytes("Private_Hugetlb"), bytes("Pss"), bytes("Swap")];
}

/** /proc/self/stat: page faults without and with a read from disk. */
export function parseFaults(text: string): readonly [minor: number, major: number] {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [Number(fields[7] ?? 0), Number(fields[9] ?? 0)];
}
