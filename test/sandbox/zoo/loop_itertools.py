"""Drains an endless iterator in C."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import collections, itertools
    collections.deque(itertools.repeat(None), maxlen=0)
