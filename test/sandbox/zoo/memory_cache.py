"""Fills the private cache without end."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    n = 0
    while True:
        influxdb3_local.cache.put(str(n), bytes(100_000))
        n += 1
