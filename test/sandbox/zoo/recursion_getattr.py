"""Recurses in C through attribute look-up."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.setrecursionlimit(10**8)
    class Down:
        def __getattr__(self, name):
            return getattr(self, name + 'x')
    Down().y
