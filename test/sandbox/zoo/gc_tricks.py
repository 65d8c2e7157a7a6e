"""Walks every object, changes the collector's state and calls referrers."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import gc
    gc.set_threshold(1, 1, 1)
    gc.set_debug(gc.DEBUG_SAVEALL)
    for value in gc.get_objects():
        gc.get_referrers(value) if isinstance(value, type) and value.__name__ == "PyPluginCallApi" else None
    gc.disable()
    gc.collect()
