"""Looks for the host in environment, arguments and platform."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, platform, sys
    told = " ".join([str(dict(os.environ)), str(sys.argv), sys.executable, platform.node(), str(sys.path), os.getcwd()])
    for name in ("HOME", "PATH", "USER", "node_modules", "/root", "/home", "/here", "/tmp"):
        if name in told:
            influxdb3_local.error(f"ESCAPED {name}: {told}")
