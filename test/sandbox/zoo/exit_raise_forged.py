"""Raises the host's own interruption by hand."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    raise host.PluginInterrupted('forged')
