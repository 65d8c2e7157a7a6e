"""Leaves objects whose finalizers write, log and call the host once somebody else runs."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import gc, weakref, _tidemark_host as host
    class Late:
        def __init__(self):
            self.itself = self
        def __del__(self):
            influxdb3_local.write(LineBuilder("late").int64_field("f", 1))
            host.log(2, "ESCAPED into another run")
            influxdb3_local.cache.put("late", 1)
    gc.disable()
    for _ in range(10_000):
        Late()
    weakref.finalize(gc, influxdb3_local.error, "ESCAPED at exit")
