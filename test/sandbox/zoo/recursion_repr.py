"""Recurses in C through repr of a deeply nested list."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.setrecursionlimit(10**8)
    nested = []
    for _ in range(500_000):
        nested = [nested]
    repr(nested)
