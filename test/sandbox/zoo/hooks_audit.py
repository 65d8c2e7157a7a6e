"""Installs an audit hook, which nothing can remove, that breaks every import and compilation."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    def hook(event, values):
        raise RuntimeError("left behind")
    sys.addaudithook(hook)
