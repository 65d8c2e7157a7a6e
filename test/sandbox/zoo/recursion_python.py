"""Recurses in Python with the limit raised."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.setrecursionlimit(10**8)
    def down():
        return down()
    down()
