"""Empties sys.modules and the import path."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.modules.clear()
    sys.path[:] = []
    sys.meta_path.clear()
