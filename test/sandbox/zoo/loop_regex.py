"""Gives the regular expression engine a pattern with exponential backtracking."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import re
    re.match(r"(a+)+$", "a" * 64 + "b")
