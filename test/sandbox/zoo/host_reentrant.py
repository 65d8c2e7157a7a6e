"""Calls the host from inside a host call: from str, build, hash and the decoder's own look-ups."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    class Again:
        def __init__(self, depth):
            self.depth = depth
        def __str__(self):
            influxdb3_local.info(Again(self.depth - 1) if self.depth else "bottom")
            return "level"
        def build(self):
            influxdb3_local.write_sync(LineBuilder("m").int64_field("f", 1), True)
            return "m f=1"
    class Name(str):
        def __hash__(self):
            influxdb3_local.cache.get("x", use_global=True)
            return 1
        def __eq__(self, other):
            influxdb3_local.cache.delete("x", use_global=True)
            return False
    influxdb3_local.info(Again(20))
    influxdb3_local.write(Again(0))
    try:
        host.decode_rows((Name("a"), Name("b")), b"", False)
    except ValueError:
        pass
