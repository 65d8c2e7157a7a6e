"""Aborts the process."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os
    os.abort()
