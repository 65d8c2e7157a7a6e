"""Repeats a list more often than an address space holds."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    [0] * (2**31 - 1)
