"""Patches the host module's interruption class away and loops."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    host.PluginInterrupted = ValueError
    while True:
        try:
            while True:
                pass
        except BaseException as problem:
            pass
