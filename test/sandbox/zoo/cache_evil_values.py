"""Puts what is not plain data into the global cache, or what pretends to be."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    class Text(str):
        pass
    nested = []
    nested.append(nested)
    for value in (Text("x"), nested, lambda: 0, object(), type, open, float("nan"), {1: {2: Text("y")}}):
        try:
            influxdb3_local.cache.put("evil", value, use_global=True)
        except (TypeError, ValueError):
            continue
        if value == value:
            influxdb3_local.error(f"ESCAPED {value!r}")
