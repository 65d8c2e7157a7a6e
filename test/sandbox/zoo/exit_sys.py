"""Ends the interpreter with sys.exit."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.exit(7)
