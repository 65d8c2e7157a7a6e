"""Buffers line protocol without end."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    while True:
        influxdb3_local.write(LineBuilder("m").string_field("f", "x" * 100_000))
