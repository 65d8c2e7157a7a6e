"""Replaces the functions of our own modules that the next run calls."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    from _tidemark import cache, entry, failure, line_builder, loader, local_api
    def broken(*args, **named):
        raise RuntimeError("patched")
    for module in (entry, loader, local_api, failure, line_builder, cache):
        for name, value in list(vars(module).items()):
            if callable(value) and not name.startswith("__"):
                setattr(module, name, broken)
