"""Prints a flood of lines, empty ones, and pieces of hundreds of megabytes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, sys
    for _ in range(50_000):
        print("flood")
    os.write(1, b"\n" * 20_000_000)
    os.write(2, b"y" * 20_000_000)
    sys.stdout.write("z" * 5_000_000)
