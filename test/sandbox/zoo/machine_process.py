"""Starts processes, loads native code."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os
    def native():
        import ctypes
        return ctypes.CDLL(None)
    def run():
        import subprocess
        return subprocess.run(["id"])
    def extension():
        import importlib.machinery
        return importlib.machinery.ExtensionFileLoader("x", "/lib/x.so").load_module()
    for way in (native, run, extension, lambda: os.system("id"), lambda: os.fork(), lambda: os.execv("/bin/sh", ["sh"]),
                lambda: os.popen("id").read(), lambda: __import__("multiprocessing").Process(target=print).start(), lambda: os.posix_spawn("/bin/id", [], {})):
        try:
            way()
        except Exception:
            continue
        influxdb3_local.error(f"ESCAPED {way}")
