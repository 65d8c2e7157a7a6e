"""Creates, changes, links and removes files."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, shutil, tempfile
    root = os.open("/", os.O_RDONLY) if hasattr(os, "O_RDONLY") else None
    ways = [lambda: open("/new", "w"), lambda: open("/lib/python313.zip", "r+b"), lambda: open("/lib/python313.zip", "ab"),
            lambda: os.open("/new", os.O_CREAT | os.O_RDWR), lambda: os.mkdir("/new"), lambda: os.makedirs("/a/b"), lambda: os.remove("/lib/python313.zip"),
            lambda: os.rename("/lib", "/bil"), lambda: os.symlink("/etc", "/link"), lambda: os.link("/lib/python313.zip", "/link"),
            lambda: os.rmdir("/lib"), lambda: os.truncate("/lib/python313.zip", 0), lambda: os.utime("/lib/python313.zip"),
            lambda: tempfile.TemporaryFile(), lambda: shutil.rmtree("/lib"), lambda: os.ftruncate(root, 0), lambda: os.write(root, b"x")]
    for index, way in enumerate(ways):
        try:
            way()
        except (OSError, AttributeError, NotImplementedError, TypeError):
            continue
        influxdb3_local.error(f"ESCAPED way {index}")
