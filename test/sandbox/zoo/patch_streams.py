"""Closes and replaces the standard streams."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, sys
    sys.stdout.close()
    sys.stderr.close()
    sys.__stdout__ = sys.__stderr__ = None
    for number in range(4):
        try:
            os.close(number)
        except OSError:
            pass
