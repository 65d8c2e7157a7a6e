"""Fills memory with a dictionary."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    held = {}
    while True:
        held[len(held)] = str(len(held)) * 10
