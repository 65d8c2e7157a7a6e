"""Installs trace, profile and audit hooks that raise."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    def hook(*args):
        raise RuntimeError("hook")
    sys.addaudithook(lambda *args: None)
    sys.setprofile(hook)
