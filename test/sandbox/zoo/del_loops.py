"""Loops for ever in a finalizer that runs when the entry point's frame ends."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    class Sticky:
        def __del__(self):
            while True:
                pass
    sticky = Sticky()
