"""Fills the global cache with values, keys and endless tiny entries."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    for value in (bytes(30_000_000),) * 3:
        try:
            influxdb3_local.cache.put(str(id(value)) + str(len(value)), value, use_global=True)
        except Exception:
            pass
    n = 0
    while True:
        influxdb3_local.cache.put(str(n), None, use_global=True)
        n += 1
