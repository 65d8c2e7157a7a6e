"""Deletes every builtin."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import builtins
    vars(builtins).clear()
