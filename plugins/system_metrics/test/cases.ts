import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { store, testRun } from "../../../test/conformance/plugins/harness.ts";

const SOURCE = readFileSync(new URL("../system_metrics.py", import.meta.url), "utf8");

/** psutil with the values of a machine that is known: field names as psutil's documentation has them on Linux. */
const PSUTIL = `
import sys, types
from collections import namedtuple

def record(**values):
    return namedtuple("R", values)(**values)

psutil = types.ModuleType("psutil")
psutil.Error = type("Error", (Exception,), {})
psutil.AccessDenied = type("AccessDenied", (psutil.Error,), {})
cpu = record(user=1.5, nice=0.0, system=2.5, idle=96.0, iowait=0.0, irq=0.0, softirq=0.0, steal=0.0, guest=0.0, guest_nice=0.0)
psutil.cpu_times_percent = lambda percpu=False: [cpu, cpu] if percpu else cpu
psutil.cpu_percent = lambda interval=None, percpu=False: [4.0, 5.0]
psutil.cpu_freq = lambda percpu=False: [] if percpu else record(current=2400.0, min=800.0, max=3600.0)
psutil.cpu_stats = lambda: record(ctx_switches=10, interrupts=20, soft_interrupts=30, syscalls=0)
psutil.getloadavg = lambda: (0.5, 0.25, 0.125)
psutil.virtual_memory = lambda: record(total=100, available=60, percent=40.0, used=30, free=50, active=1, inactive=2, buffers=3, cached=4, shared=5, slab=6)
psutil.swap_memory = lambda: record(total=10, used=1, free=9, percent=10.0, sin=0, sout=0)
def denied(*args, **kwargs):
    raise PermissionError("disk figures are not granted to this trigger")
psutil.disk_partitions = denied
psutil.disk_io_counters = denied
nic = record(bytes_sent=1, bytes_recv=2, packets_sent=3, packets_recv=4, errin=0, errout=0, dropin=0, dropout=0)
psutil.net_io_counters = lambda pernic=False: {"eth0": nic}
sys.modules["psutil"] = psutil
`;

const DISKS = `
import time
time.monotonic = lambda: NOW
psutil.disk_partitions = lambda all=False: [record(device="/dev/sda1", mountpoint="/", fstype="ext4"), record(device="/dev/cd", mountpoint="/cd", fstype="")]
def usage(path):
    if path == "/cd": raise OSError("no medium")
    return record(total=1000, used=400, free=600, percent=40.0)
psutil.disk_usage = usage
psutil.disk_io_counters = lambda perdisk=True: {"sda": record(read_count=READS, write_count=10, read_bytes=READS * 512, write_bytes=0, read_time=READS * 2, write_time=0, busy_time=100)}
`;

const run = (before: string, options: object = {}): ReturnType<typeof testRun> =>
  store(`${before}\n${SOURCE}`).then((filename) => testRun("schedule", { filename, database: "conformance", ...options }));

export function systemMetricsCases(): void {
  describe("system_metrics", () => {
    it("writes the groups that can be read and says why another cannot", async () => {
      const report = await run(PSUTIL, { input_arguments: { hostname: "edge 7" } });
      expect(report.errors).toEqual([]);
      const host = String.raw`host=edge\ 7`;
      const times = "user=1.5,system=2.5,idle=96.0,iowait=0.0,nice=0.0,irq=0.0,softirq=0.0,steal=0.0,guest=0.0,guest_nice=0.0";
      expect(report.database_writes["conformance"]).toEqual([
        `system_cpu,${host},cpu=total ${times},frequency_current=2400.0,frequency_min=800.0,frequency_max=3600.0,load1=0.5,load5=0.25,load15=0.125,ctx_switches=10u,interrupts=20u,soft_interrupts=30u,syscalls=0u`,
        `system_cpu_cores,${host},core=0 usage=4.0,${times}`,
        `system_cpu_cores,${host},core=1 usage=5.0,${times}`,
        `system_memory,${host} percent=40.0,total=100u,available=60u,used=30u,free=50u,active=1u,inactive=2u,buffers=3u,cached=4u,shared=5u,slab=6u`,
        `system_swap,${host} percent=10.0,total=10u,used=1u,free=9u,sin=0u,sout=0u`,
        `system_network,${host},interface=eth0 bytes_sent=1u,bytes_recv=2u,packets_sent=3u,packets_recv=4u,errin=0u,errout=0u,dropin=0u,dropout=0u`,
      ]);
      expect(report.log_lines.filter((line) => line.startsWith("WARN"))).toEqual(Array(2).fill("WARN: disk: PermissionError: disk figures are not granted to this trigger"));
      expect(report.log_lines.at(-2)).toBe("INFO: collected cpu, memory, network of edge 7: 6 lines");
    });

    it("computes rates of disks between two calls", async () => {
      const call = async (now: number, reads: number): Promise<string[]> => {
        const report = await run(`${PSUTIL}${DISKS.replace("NOW", String(now)).replaceAll("READS", String(reads))}`, { input_arguments: { include: "disk" }, cache_name: "disks" });
        expect(report.errors).toEqual([]);
        return report.database_writes["conformance"] ?? [];
      };
      const first = await call(1000, 100);
      expect(first).toEqual([
        "system_disk_usage,host=localhost,device=/dev/sda1,mountpoint=/,fstype=ext4 percent=40.0,total=1000u,used=400u,free=600u",
        "system_disk_io,host=localhost,device=sda reads=100u,writes=10u,read_bytes=51200u,write_bytes=0u,read_time=200u,write_time=0u,busy_time=100u,read_merged_count=0u,write_merged_count=0u",
      ]);
      // 40 reads of 512 bytes and 2 ms each in 10 seconds.
      expect((await call(1010, 140)).at(-1)).toBe("system_disk_performance,host=localhost,device=sda read_bytes_per_sec=2048.0,write_bytes_per_sec=0.0,read_iops=4.0,write_iops=0.0,avg_read_latency_ms=2.0,avg_write_latency_ms=0.0,util_percent=0.0");
    });

    it("says that psutil is missing", async () => {
      const report = await run("import sys\nsys.modules['psutil'] = None\n");
      expect([report.errors, report.database_writes]).toEqual([[], {}]);
      expect(report.log_lines).toContain("ERROR: system_metrics needs the module psutil, which this server does not offer to plugins; nothing was collected");
    });

    it("refuses a group that there is not", async () => {
      const report = await run(PSUTIL, { input_arguments: { include: "cpu.gpu" } });
      expect(report.log_lines).toContain("ERROR: include names 'gpu'; there are cpu, memory, disk, network");
    });
  });
}
