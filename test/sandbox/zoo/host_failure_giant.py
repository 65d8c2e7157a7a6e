"""Leaves with an exception whose name, text and traceback are giant."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    class Giant(Exception):
        pass
    Giant.__qualname__ = "G" * 5_000_000
    raise Giant("m" * 5_000_000)
