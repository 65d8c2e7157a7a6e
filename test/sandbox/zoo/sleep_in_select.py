"""Waits on descriptors that never change."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import select
    while True:
        select.select([], [], [], 1000)
