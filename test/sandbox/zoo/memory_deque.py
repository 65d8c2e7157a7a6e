"""Fills memory with cycles while the collector is off."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import gc
    gc.disable()
    while True:
        ring = []
        ring.append(ring)
        ring.append(bytes(10_000))
