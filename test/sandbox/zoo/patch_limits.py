"""Raises the limits that our Python counts, then hands over more than the host allows."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    from _tidemark import cache, local_api, response
    local_api._write_bytes_max = response._body_bytes_max = cache._bytes_max = 10**15
    local_api.limit(10**15)
    response.limit(10**15)
    for number in range(90):
        influxdb3_local.write(LineBuilder("m").string_field("f", "1" * 1_000_000))
