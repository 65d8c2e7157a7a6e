"""Replaces functions of standard modules in sys.modules by its own module object."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import json, sys, types
    fake = types.ModuleType("json")
    fake.dumps = lambda value: "stolen"
    sys.modules["json"] = fake
