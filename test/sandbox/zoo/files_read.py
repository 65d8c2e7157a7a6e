"""Reads the machine's files by every function that opens or looks."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import io, linecache, os, pathlib
    names = ["/etc/passwd", "/proc/self/environ", "/proc/self/mem", "../../etc/passwd", "/lib/../../etc/passwd", "//etc/passwd",
             "/./../etc/shadow", "/dev/null", "/dev/zero", "C:\\Windows\\win.ini", "/etc/passwd\0.py", "/lib/python313.zip/../../etc/hosts", "~/.ssh/id_rsa"]
    ways = [open, io.open, os.listdir, os.stat, os.lstat, os.readlink, os.scandir, os.chdir, lambda n: os.open(n, os.O_RDONLY),
            lambda n: pathlib.Path(n).read_bytes(), lambda n: os.access(n, os.R_OK) or open(n)]
    for name in names:
        for way in ways:
            try:
                found = way(name)
            except (OSError, ValueError, AttributeError, NotImplementedError):
                continue
            influxdb3_local.error(f"ESCAPED {name} {way} {found!r}")
    if linecache.getlines("/etc/passwd"):
        influxdb3_local.error("ESCAPED linecache")
