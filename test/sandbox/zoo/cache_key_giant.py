"""Uses a cache key of megabytes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.cache.put('k' * 2_000_000, 1, use_global=True)
