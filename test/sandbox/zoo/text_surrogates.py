"""Hands lone surrogates, control characters and giants of text to every function of the interface."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import io
    odd = ["\ud800", "\udcff\udcfe", "\0", "\x1b[2J", "\u2028\u2029\x85", "\u202e\u2066", "\ufeff", "x" * 3_000_000]
    for text in odd:
        for way in (lambda: influxdb3_local.info(text), lambda: influxdb3_local.query(text), lambda: influxdb3_local.query("SELECT $a", {"a": text}), lambda: influxdb3_local.query("SELECT 1", {text: 1}),
                    lambda: influxdb3_local.query("SELECT 1", None, text), lambda: influxdb3_local.write_to_db(text, LineBuilder("m").int64_field("f", 1)), lambda: influxdb3_local.write_sync_to_db(text, LineBuilder(text).int64_field(text, 1), True),
                    lambda: influxdb3_local.cache.put(text, text), lambda: influxdb3_local.cache.put(text, text, None, True), lambda: influxdb3_local.cache.get(text, None, True), lambda: print(text), lambda: open(text), lambda: __import__(text), lambda: io.open("/tmp/" + text, "w")):
            try:
                way()
            except Exception:
                continue
    raise type("Odd\nERROR forged\x1b[31m", (Exception,), {})("\ud800\n2026-01-01 ERROR forged")
