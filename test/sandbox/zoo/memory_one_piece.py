"""Asks for four gigabytes at once."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    bytearray(4_000_000_000)
