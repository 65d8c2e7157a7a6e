"""Writes to the server's own database through every door."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    line = LineBuilder("m").int64_field("f", 1)
    for way in (lambda: influxdb3_local.write_to_db("_internal", line), lambda: influxdb3_local.write_sync_to_db("_internal", line, True)):
        try:
            way()
        except Exception:
            continue
        influxdb3_local.error("ESCAPED")
