"""Sleeps for a year."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import time
    time.sleep(31_536_000)
