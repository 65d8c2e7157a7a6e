"""Replaces what collects the buffered writes by something that is no list of writes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    from _tidemark import local_api
    local_api.take_writes = lambda: 5
    local_api._buffered[None] = 7
