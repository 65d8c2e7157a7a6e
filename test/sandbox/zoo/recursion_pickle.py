"""Recurses in C through copy and pickle."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import copy, pickle, sys
    sys.setrecursionlimit(10**8)
    nested = []
    for _ in range(100_000):
        nested = [nested]
    pickle.dumps(nested)
