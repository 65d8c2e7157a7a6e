"""Gives the compiler a hundred thousand brackets and unary operators."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    compile('-' * 300_000 + '1', 'x', 'eval')
