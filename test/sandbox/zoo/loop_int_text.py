"""Converts a giant text of digits to an integer with the digit limit switched off."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys
    sys.set_int_max_str_digits(0)
    int("9" * 5_000_000)
