"""Calls the host without end and swallows every refusal."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    while True:
        try:
            influxdb3_local.cache.delete("x", use_global=True)
        except Exception:
            pass
