"""Loops for ever inside one C function, where no poll happens."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    sum(range(10**12))
