"""Writes synchronously until the run's bytes are used up."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    line = LineBuilder("m").string_field("f", "x" * 4_000_000)
    for _ in range(100):
        influxdb3_local.write_sync(line, True)
