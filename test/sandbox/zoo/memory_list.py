"""Fills memory with a list that grows."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    held = []
    while True:
        held.append(list(range(1000)))
