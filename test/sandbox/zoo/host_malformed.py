"""Calls the builtin host module with wrong types, levels, encodings and sizes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    calls = [(host.log, (99, "x")), (host.log, (-1, "x")), (host.log, (2**40, "x")), (host.log, ("x", 1)), (host.log, (0, "\ud800")),
             (host.query, ("SELECT 1", {1: 2}, None)), (host.query, ("SELECT 1", {"a": 1}, None)), (host.query, ("\ud800", {}, None)),
             (host.query, ("SELECT 1", {}, 5)), (host.query, (None, None, None)), (host.write_sync, (5, "x", True)), (host.write_sync, ("\0", 7, 0)),
             (host.global_cache_put, ("k", "text", None)), (host.global_cache_put, ("k", b"x", "soon")), (host.global_cache_put, ("k", b"x", float("nan"))),
             (host.global_cache_put, ("k", b"x", -1.0)), (host.global_cache_get, (5,)), (host.global_cache_delete, (None,)),
             (host.decode_rows, (5, b"", True)), (host.decode_rows, (None, "x", True)), (host.decode_rows, ((1, 2), b"", True))]
    for call, values in calls:
        try:
            call(*values)
        except (TypeError, ValueError, OverflowError, UnicodeError, RuntimeError, host.ResourceLimitError):
            continue
        influxdb3_local.error(f"ESCAPED {call.__name__} {values!r}")
