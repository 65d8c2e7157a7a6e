"""Opens and closes connections one after another until the server refuses, and then goes on."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    try:
        for count in range(1_000):
            host.net_close(host.net_open("127.0.0.1", int(args["silent"])), 1)
    except host.ResourceLimitError:
        if count > 256:
            influxdb3_local.error(f"ESCAPED {count} connections")
    for settings in (b"{}", b"["):
        host.net_open_tls(settings)
