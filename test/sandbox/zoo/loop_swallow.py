"""Swallows the interruption in a loop."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
