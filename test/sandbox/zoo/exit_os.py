"""Ends the process with os._exit."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os
    os._exit(7)
