"""Answers the interruption with another endless loop in a finally clause."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    try:
        while True:
            pass
    finally:
        while True:
            pass
