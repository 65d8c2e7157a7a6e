"""Replaces methods of influxdb3_local and its class."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    for name in ("info", "write", "cache"):
        for target in (influxdb3_local, type(influxdb3_local), type(influxdb3_local.cache)):
            try:
                setattr(target, name, lambda *args: None)
            except (AttributeError, TypeError):
                continue
            influxdb3_local.error(f"ESCAPED {name}")
