"""Doubles a text until nothing is left."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    text = 'x'
    while True:
        text += text
