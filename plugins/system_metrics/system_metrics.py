"""
{
  "plugin_type": ["scheduled"],
  "scheduled_args_config": [
    {"name": "hostname", "example": "edge-7", "description": "Value of the tag host. Default: localhost", "required": false},
    {"name": "include", "example": "cpu.memory", "description": "Groups to collect, separated by dots: cpu, memory, disk, network. Default: all", "required": false}
  ]
}
"""
# Figures of the machine by psutil, in the tables and fields that the tutorial's system_metrics has always written. A group
# that cannot be read, because it is not granted or the machine has no such figure, is named in the log; the others go on.

GROUPS = ("cpu", "memory", "disk", "network")
TIMES = ("user", "system", "idle", "iowait", "nice", "irq", "softirq", "steal", "guest", "guest_nice")
MEMORY = ("total", "available", "used", "free", "active", "inactive", "buffers", "cached", "shared", "slab")
NETWORK = ("bytes_sent", "bytes_recv", "packets_sent", "packets_recv", "errin", "errout", "dropin", "dropout")
PROCESS = (("page_faults", "num_page_faults"), ("major_faults", "maj_faults"), ("minor_faults", "min_faults")) + tuple(
    (name, name) for name in ("rss", "vms", "dirty", "uss", "pss")
)
DISK = (("reads", "read_count"), ("writes", "write_count")) + tuple(
    (name, name) for name in ("read_bytes", "write_bytes", "read_time", "write_time", "busy_time", "read_merged_count", "write_merged_count")
)


def process_scheduled_call(influxdb3_local, call_time, args=None):
    args = args or {}
    try:
        import psutil
    except ImportError:
        influxdb3_local.error("system_metrics needs the module psutil, which this server does not offer to plugins; nothing was collected")
        return
    wanted = [name.strip() for name in args.get("include", ".".join(GROUPS)).split(".")]
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        influxdb3_local.error(f"include names {', '.join(map(repr, unknown))}; there are {', '.join(GROUPS)}")
        return
    collector = Collector(influxdb3_local, psutil, args.get("hostname", "localhost"))
    done = [name for name in wanted if collector.collect(name)]
    if done:
        influxdb3_local.info(f"collected {', '.join(done)} of {collector.host}: {collector.lines} lines")


class Collector:
    def __init__(self, local, psutil, host):
        self.local = local
        self.psutil = psutil
        self.host = host
        self.lines = 0

    def collect(self, group):
        """False when nothing of the group could be read."""
        before = self.lines
        for part in getattr(self, group):
            try:
                part(self)
            except Exception as problem:
                self.local.warn(f"{group}: {type(problem).__name__}: {problem}")
        return self.lines > before

    def write(self, table, tags, floats=(), counts=()):
        line = LineBuilder(table).tag("host", self.host)
        for name, value in tags:
            line.tag(name, value)
        for name, value in floats:
            line.float64_field(name, value)
        for name, value in counts:
            line.uint64_field(name, max(0, int(value)))
        self.local.write(line)
        self.lines += 1

    def cpu_total(self):
        stats, frequency = self.psutil.cpu_stats(), self.psutil.cpu_freq(percpu=False)
        floats = read_all(self.psutil.cpu_times_percent(), TIMES) + frequencies(frequency)
        floats += list(zip(("load1", "load5", "load15"), self.psutil.getloadavg()))
        self.write("system_cpu", [("cpu", "total")], floats, read_all(stats, ("ctx_switches", "interrupts", "soft_interrupts", "syscalls")))

    def cpu_cores(self):
        usage = self.psutil.cpu_percent(interval=None, percpu=True)
        times = self.psutil.cpu_times_percent(percpu=True)
        frequency = self.psutil.cpu_freq(percpu=True) or []
        for core, percent in enumerate(usage):
            floats = [("usage", percent)]
            floats += read_all(times[core], TIMES) if core < len(times) else []
            floats += frequencies(frequency[core]) if core < len(frequency) else []
            self.write("system_cpu_cores", [("core", core)], floats)

    def memory_total(self):
        memory = self.psutil.virtual_memory()
        self.write("system_memory", [], [("percent", memory.percent)], read_all(memory, MEMORY))

    def memory_swap(self):
        swap = self.psutil.swap_memory()
        self.write("system_swap", [], [("percent", swap.percent)], read_all(swap, ("total", "used", "free", "sin", "sout")))

    def memory_faults(self):
        """Of the server's own process, where the machine tells."""
        process = getattr(self.psutil, "Process", None)
        try:
            info = process().memory_full_info() if process is not None else None
        except self.psutil.Error:
            info = None
        if info is not None:
            self.write("system_memory_faults", [], [], [(name, getattr(info, source, 0)) for name, source in PROCESS])

    def disk_usage(self):
        for partition in self.psutil.disk_partitions(all=False):
            try:
                usage = self.psutil.disk_usage(partition.mountpoint)
            except OSError:
                continue
            tags = [(name, getattr(partition, name)) for name in ("device", "mountpoint", "fstype")]
            self.write("system_disk_usage", [tag for tag in tags if tag[1]], [("percent", usage.percent)], read_all(usage, ("total", "used", "free")))

    def disk_counters(self):
        import time

        now = time.monotonic()
        then, before = self.local.cache.get("disk", (None, {}))
        counters = self.psutil.disk_io_counters(perdisk=True) or {}
        for device, stats in counters.items():
            current = {source: getattr(stats, source, 0) for _, source in DISK}
            self.write("system_disk_io", [("device", device)], [], [(name, current[source]) for name, source in DISK])
            if then is not None and device in before:
                self.write("system_disk_performance", [("device", device)], rates(current, before[device], now - then))
        self.local.cache.put("disk", (now, {device: {source: getattr(stats, source, 0) for _, source in DISK} for device, stats in counters.items()}))

    def network_counters(self):
        for interface, stats in (self.psutil.net_io_counters(pernic=True) or {}).items():
            self.write("system_network", [("interface", interface)], [], read_all(stats, NETWORK))

    cpu = (cpu_total, cpu_cores)
    memory = (memory_total, memory_swap, memory_faults)
    disk = (disk_usage, disk_counters)
    network = (network_counters,)


def read_all(source, names):
    """What a machine does not have is 0."""
    return [(name, getattr(source, name, 0)) for name in names]


def frequencies(frequency):
    return [(f"frequency_{name}", getattr(frequency, name, 0) or 0) for name in ("current", "min", "max")]


def rates(now, before, seconds):
    """Since the call before; a counter that went back (a restart) counts as no change."""
    moved = {name: max(0, value - before.get(name, 0)) for name, value in now.items()}
    per_second = lambda name: moved[name] / seconds if seconds > 0 else 0.0
    each = lambda time, count: moved[time] / moved[count] if moved[count] > 0 else 0.0
    return [
        ("read_bytes_per_sec", per_second("read_bytes")),
        ("write_bytes_per_sec", per_second("write_bytes")),
        ("read_iops", per_second("read_count")),
        ("write_iops", per_second("write_count")),
        ("avg_read_latency_ms", each("read_time", "read_count")),
        ("avg_write_latency_ms", each("write_time", "write_count")),
        ("util_percent", min(100.0, per_second("busy_time") / 10)),
    ]
