"""Shifts an integer beyond memory."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    1 << (8 * 10**9)
