"""psutil 5.9 as Linux has it, for plugins: the machine's figures by one call to the server, which must have granted them
(--allow-sys cpu,memory,disk,network). Read-only; of processes there is only the server's own. What is not here would need
rights that no plugin can have."""

import json
import time
from collections import namedtuple

import _tidemark_host as _host

version_info = (5, 9, 8)
__version__ = "5.9.8"
LINUX = POSIX = True
WINDOWS = MACOS = OSX = FREEBSD = OPENBSD = NETBSD = BSD = SUNOS = AIX = False

scputimes = namedtuple("scputimes", "user nice system idle iowait irq softirq steal guest guest_nice")
scpustats = namedtuple("scpustats", "ctx_switches interrupts soft_interrupts syscalls")
scpufreq = namedtuple("scpufreq", "current min max")
svmem = namedtuple("svmem", "total available percent used free active inactive buffers cached shared slab")
sswap = namedtuple("sswap", "total used free percent sin sout")
sdiskpart = namedtuple("sdiskpart", "device mountpoint fstype opts maxfile maxpath")
sdiskusage = namedtuple("sdiskusage", "total used free percent")
sdiskio = namedtuple(
    "sdiskio", "read_count write_count read_bytes write_bytes read_time write_time read_merged_count write_merged_count busy_time"
)
snetio = namedtuple("snetio", "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout")
pmem = namedtuple("pmem", "rss vms shared text lib data dirty")
pfullmem = namedtuple("pfullmem", pmem._fields + ("uss", "pss", "swap"))


class Error(Exception):
    def __init__(self, msg=""):
        super().__init__(msg)
        self.msg = msg

    def __str__(self):
        return self.msg


class NoSuchProcess(Error):
    def __init__(self, pid, name=None, msg=None):
        super().__init__(msg or f"process no longer exists (pid={pid})")
        self.pid = pid
        self.name = name


class ZombieProcess(NoSuchProcess):
    pass


class AccessDenied(Error):
    def __init__(self, pid=None, name=None, msg=None):
        super().__init__(msg or "")
        self.pid = pid
        self.name = name


class TimeoutExpired(Error):
    pass


def _ask(group):
    try:
        return json.loads(_host.system_metrics(group))
    except PermissionError as refusal:
        raise AccessDenied(msg=str(refusal)) from None


def _percent(part, whole, digits=1):
    return round(100 * part / whole, digits) if whole > 0 else 0.0


# ---- processors

_last = {}


def cpu_times(percpu=False):
    times = [scputimes(*row) for row in _ask("cpu")["times"]]
    return times[1:] if percpu else times[0]


def cpu_count(logical=True):
    cpu = _ask("cpu")
    return cpu["count"] if logical else cpu["cores"]


def cpu_stats():
    return scpustats(*_ask("cpu")["stats"])


def cpu_freq(percpu=False):
    frequencies = [scpufreq(*row) for row in _ask("cpu")["frequencies"]]
    if percpu:
        return frequencies
    if not frequencies:
        return None
    return scpufreq(*(sum(values) / len(frequencies) for values in zip(*frequencies)))


def getloadavg():
    return tuple(_ask("cpu")["load_average"])


def boot_time():
    return _ask("cpu")["boot_time"]


def pids():
    """No process of the machine is named: the list has the right length and nothing in it."""
    return [0] * _ask("cpu")["processes"]


def _deltas(kind, interval, percpu):
    if interval is not None and interval > 0:
        before = cpu_times(percpu)
        time.sleep(interval)
    elif interval is not None and interval < 0:
        raise ValueError(f"interval is not positive (got {interval!r})")
    else:
        before = _last.get((kind, percpu))
    now = cpu_times(percpu)
    _last[(kind, percpu)] = now
    if before is None:
        before = now
    pairs = zip(before, now) if percpu else [(before, now)]
    return [scputimes(*(max(0.0, new - old) for old, new in zip(*pair))) for pair in pairs]


def _total(times):
    """What a guest system used is in `user` and `nice` already."""
    return sum(times) - times.guest - times.guest_nice


def cpu_percent(interval=None, percpu=False):
    busy = [_percent(_total(times) - times.idle - times.iowait, _total(times)) for times in _deltas("percent", interval, percpu)]
    return busy if percpu else busy[0]


def cpu_times_percent(interval=None, percpu=False):
    shares = [scputimes(*(_percent(value, _total(times)) for value in times)) for times in _deltas("times", interval, percpu)]
    return shares if percpu else shares[0]


# ---- memory


def virtual_memory():
    memory = _ask("memory")
    total, available, free = memory["total"], memory["available"], memory["free"]
    used = total - free - memory["cached"] - memory["buffers"]
    if used < 0:
        used = total - free
    return svmem(
        total, available, _percent(total - available, total), used, free, memory["active"], memory["inactive"], memory["buffers"],
        memory["cached"], memory["shared"], memory["slab"],
    )


def swap_memory():
    total, free, sin, sout = _ask("memory")["swap"]
    return sswap(total, total - free, free, _percent(total - free, total), sin, sout)


# ---- disks


def disk_partitions(all=False):
    return [sdiskpart(*row, 255, 4096) for row in _ask("disk")["partitions"]]


def disk_usage(path):
    for mountpoint, total, used, free in _ask("disk")["usage"]:
        if mountpoint == path:
            return sdiskusage(total, used, free, _percent(used, used + free))
    raise FileNotFoundError(2, "No such file or directory", path)


def disk_io_counters(perdisk=False, nowrap=True):
    counters = {name: sdiskio(*row) for name, row in _ask("disk")["io"].items()}
    if perdisk:
        return counters
    return sdiskio(*map(sum, zip(*counters.values()))) if counters else None


# ---- network


def net_io_counters(pernic=False, nowrap=True):
    counters = {name: snetio(*row) for name, row in _ask("network")["interfaces"].items()}
    if pernic:
        return counters
    return snetio(*map(sum, zip(*counters.values()))) if counters else None


# ---- the server's own process


class Process:
    def __init__(self, pid=None):
        self.pid = 1 if pid is None else pid
        if self.pid != 1:
            raise AccessDenied(pid=pid, msg=f"of processes there is only the server's own here (pid 1), not {pid}")

    def name(self):
        return "influxdb3"

    def memory_info(self):
        return pmem(*_ask("memory")["process"][:7])

    def memory_full_info(self):
        return pfullmem(*_ask("memory")["process"])

    def memory_percent(self, memtype="rss"):
        memory = _ask("memory")
        return 100 * getattr(pfullmem(*memory["process"]), memtype) / memory["total"]

    def num_page_faults(self):
        return tuple(_ask("memory")["page_faults"])

    def oneshot(self):
        return _Oneshot()


class _Oneshot:
    def __enter__(self):
        return self

    def __exit__(self, *problem):
        return False


def pid_exists(pid):
    return pid == 1


def process_iter(attrs=None, ad_value=None):
    return iter([Process()])
