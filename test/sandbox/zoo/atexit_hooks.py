"""Registers exit hooks and weak references that outlive the run."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import atexit, weakref
    class Thing:
        pass
    thing = Thing()
    weakref.finalize(thing, influxdb3_local.info, "late")
    atexit.register(lambda: influxdb3_local.info("exit"))
