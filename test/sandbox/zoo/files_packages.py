"""Leaves and writes the folder of installed packages."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, sys
    site = "/venv/lib/python3.13/site-packages"
    for name in (f"{site}/../../../../etc/passwd", f"{site}/../../../../../../../../etc/passwd", f"{site}/..", "/venv/../etc/passwd", f"{site}/\0", f"{site}//etc/passwd", f"{site}/./../../../etc"):
        for way in (open, os.listdir, os.stat):
            try:
                found = way(name)
            except (OSError, ValueError):
                continue
            if name.endswith("passwd") or "etc" in name:
                influxdb3_local.error(f"ESCAPED {name} {found!r}")
    for way in (lambda: open(f"{site}/evil.py", "w"), lambda: os.mkdir(f"{site}/evil"), lambda: os.symlink("/etc", f"{site}/evil"), lambda: os.rename("/plugins", f"{site}/evil"), lambda: os.link("/lib/python313.zip", f"{site}/evil"),
                lambda: os.truncate("/lib/python313.zip", 0), lambda: os.utime("/lib/python313.zip"), lambda: os.remove("/lib/python313.zip"), lambda: os.rmdir("/venv")):
        try:
            way()
        except (OSError, AttributeError, NotImplementedError):
            continue
        influxdb3_local.error(f"ESCAPED {way.__code__.co_consts}")
