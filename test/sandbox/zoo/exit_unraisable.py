"""Raises from a finalizer while an exception is on its way out."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    class Loud:
        def __del__(self):
            raise SystemExit(3)
    loud = Loud()
    raise ValueError('first')
