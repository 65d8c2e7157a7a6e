"""Builds a JSON text that does not fit."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import json
    json.dumps([list(range(1000))] * 100_000)
