"""Sends queries of megabytes, then with a hundred thousand parameters."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    for sql, parameters in (("SELECT '" + "x" * 20_000_000 + "'", {}), ("SELECT 1", {f"p{n}": "v" for n in range(100_000)}), ("SELECT 1", {"p": "v" * 20_000_000})):
        try:
            influxdb3_local.query(sql, parameters)
        except host.ResourceLimitError:
            influxdb3_local.info("refused")
