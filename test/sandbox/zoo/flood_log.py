"""Logs as often as it can and swallows every refusal."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    while True:
        try:
            influxdb3_local.info("flood" * 20)
        except Exception:
            pass
