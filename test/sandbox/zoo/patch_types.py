"""Changes the methods of builtin types, whose namespaces the collector gives away."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import gc
    def broken(*args, **named):
        raise RuntimeError("left behind")
    for kind in (str, list, dict, bytes, int, type(influxdb3_local), type(influxdb3_local.cache)):
        for namespace in gc.get_referents(kind.__dict__):
            if type(namespace) is dict:
                for name in ("join", "append", "get", "items", "encode", "format", "startswith", "info", "write", "put", "__init__", "__str__"):
                    if name in namespace:
                        namespace[name] = broken
