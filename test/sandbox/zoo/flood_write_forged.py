"""Hands over more buffered line protocol than is allowed, past the counter."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    from _tidemark import local_api
    local_api._buffered[None] = ["m f=" + "1" * 1_000] * 90_000
