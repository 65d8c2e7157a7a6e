"""Patches while it is imported, before its entry point is looked up."""

import builtins
builtins.isinstance = lambda *args: True
builtins.len = lambda value: 0


def process_scheduled_call(influxdb3_local, call_time, args=None):
    pass
