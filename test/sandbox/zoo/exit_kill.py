"""Sends itself a deadly signal."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os, signal
    os.kill(os.getpid(), 9)
