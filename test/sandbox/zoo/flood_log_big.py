"""Logs giant lines."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    try:
        for _ in range(2000):
            influxdb3_local.info("x" * 5_000_000)
    except Exception as problem:
        influxdb3_local.cache.put("told", type(problem).__name__)
        raise
