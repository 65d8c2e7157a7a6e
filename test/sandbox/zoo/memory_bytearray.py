"""Fills memory with buffers."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    held = []
    while True:
        held.append(bytearray(1_000_000))
