"""Keeps the C sort busy with a list that compares slowly."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    class Slow:
        def __lt__(self, other):
            return sum(range(10**9)) < 0
    sorted([Slow() for _ in range(100_000)])
