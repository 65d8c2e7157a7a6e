"""Writes to a thousand databases."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    for index in range(1000):
        influxdb3_local.write_to_db(f"db{index}", LineBuilder("m").int64_field("f", 1))
