"""Frees a chain of a million nested objects."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    nested = None
    for _ in range(300_000):
        nested = (nested,)
    del nested
    influxdb3_local.info('freed')
