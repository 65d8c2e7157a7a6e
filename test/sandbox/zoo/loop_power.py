"""Raises a huge integer to a huge power."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    3 ** (10**8)
