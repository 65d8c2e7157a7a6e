"""Loops for ever in Python."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    while True:
        pass
