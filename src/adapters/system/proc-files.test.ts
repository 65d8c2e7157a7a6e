// Expected values are psutil's for the same texts: its columns, units and sums.
import { expect, it } from "vitest";
import { parseCpuInfo, parseDiskStats, parseFaults, parseMemInfo, parseNetDev, parsePartitions, parseSmaps, parseStat, parseStatm, parseSwapped } from "./proc-files.ts";
import { readSystemMetrics } from "./system-metrics.ts";

it("/proc/stat: seconds of all processors and of each, and the counters", () => {
  const text = "cpu  100 20 30 4000 50 6 7 8 9 1\ncpu0 60 10 15 2000 25 3 4 4 5 1\ncpu1 40 10 15 2000 25 3 3 4 4 0\nintr 1234 5 6\nctxt 999\nbtime 1700000000\nprocesses 42\nsoftirq 77 1 2\n";
  expect(parseStat(text)).toEqual({
    times: [[1, 0.2, 0.3, 40, 0.5, 0.06, 0.07, 0.08, 0.09, 0.01], [0.6, 0.1, 0.15, 20, 0.25, 0.03, 0.04, 0.04, 0.05, 0.01], [0.4, 0.1, 0.15, 20, 0.25, 0.03, 0.03, 0.04, 0.04, 0]],
    contextSwitches: 999, interrupts: 1234, softInterrupts: 77, bootTime: 1_700_000_000,
  });
});

it("/proc/cpuinfo: frequencies, and cores counted once", () => {
  const block = (processor: number, core: number): string => `processor\t: ${processor}\nphysical id\t: 0\ncore id\t\t: ${core}\ncpu MHz\t\t: 2${processor}00.5\n`;
  expect(parseCpuInfo([block(0, 0), block(1, 0), block(2, 1)].join("\n"))).toEqual({ frequencies: [[2000.5, 0, 0], [2100.5, 0, 0], [2200.5, 0, 0]], cores: 2 });
});

it("/proc/meminfo and /proc/vmstat: bytes", () => {
  expect(parseMemInfo("MemTotal:  1000 kB\nActive(anon): 5 kB\nHugePages_Total: 0\n")).toEqual(new Map([["MemTotal", 1_024_000], ["Active(anon)", 5_120]]));
  expect(parseSwapped("pgpgin 1\npswpin 2\npswpout 3\n")).toEqual([8_192, 12_288]);
});

it("/proc/mounts: what lies on a device, with blanks in names", () => {
  const mounts = "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n/dev/sdb1 /media/my\\040disk vfat ro 0 0\n";
  expect(parsePartitions(mounts, "nodev\tproc\n\text4\n\tvfat\n")).toEqual([["/dev/sda1", "/", "ext4", "rw,relatime"], ["/dev/sdb1", "/media/my disk", "vfat", "ro"]]);
});

it("/proc/diskstats: reads, writes, bytes, times, merges, busy", () =>
  expect(parseDiskStats("   8       0 sda 10 1 20 30 40 2 50 60 0 70 80\n   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1\n")).toEqual({ sda: [10, 40, 10_240, 25_600, 30, 60, 1, 2, 70] }));

it("/proc/net/dev: sent before received", () => {
  const head = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n";
  expect(parseNetDev(`${head}    lo: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n`)).toEqual({ lo: [5, 1, 6, 2, 3, 7, 4, 8] });
});

it("the server's own memory and page faults", () => {
  expect(parseStatm("100 50 20 5 0 30 0\n", 4_096)).toEqual([204_800, 409_600, 81_920, 20_480, 0, 122_880, 0]);
  expect(parseSmaps("Rss: 9 kB\nPss: 4 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\nSwap: 3 kB\n")).toEqual([3_072, 4_096, 3_072]);
  expect(parseFaults("1 (a b) c) S 1 1 1 0 -1 4194304 111 0 22 0 3 4\n")).toEqual([111, 22]);
});

it("every group answers here, whatever the machine has", () => {
  const read = (group: "cpu" | "memory" | "disk" | "network"): Record<string, unknown> => JSON.parse(readSystemMetrics(group, "/")) as Record<string, unknown>;
  const cpu = read("cpu") as { count: number; times: number[][] };
  expect(cpu.times.length).toBeGreaterThan(1);
  expect(cpu.times.every((row) => row.length === 10)).toBe(true);
  expect((read("memory") as { process: number[] }).process.length).toBe(10);
  expect(Object.keys(read("disk"))).toEqual(["partitions", "usage", "io"]);
  expect(Object.keys(read("network"))).toEqual(["interfaces"]);
});
