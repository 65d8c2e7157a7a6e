"""Calls the network functions of the host with forged numbers, addresses, settings and sizes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    numbers = [0, 1, -1, 2**31, 2**32 - 1, 2**32, 2**64, None, "1", 1.5]
    datas = [b"", b"x", b"\x00" * 2_000_000, b"{}", b"[]", b"\xff\xfe", b'{"serverName":"' + b"a" * 100_000 + b'"}', "text", None]
    places = ["127.0.0.1", "", "0", "::1", "[::1]", "fe80::1%eth0", "169.254.169.254", "localhost", "a" * 70_000, "\ud800", "127.0.0.1\0", "127.0.0.1:80", "999.1.1.1", "../../etc/passwd", "unix:/run/docker.sock", "/run/docker.sock", None]
    waits = [None, 0, -1.0, float("nan"), "x"]
    calls = []
    for place in places:
        for port in (0, 1, 80, 65_535, 65_536, -1, 2**32, None):
            calls += [(host.net_open, (place, port)), (host.net_resolve, (place, port))]
    for data in datas:
        calls += [(host.net_open_tls, (data,)), (host.net_wait, (data, 0.0))]
        for number in numbers:
            calls += [(host.net_start_tls, (number, data)), (host.net_feed, (number, data)), (host.net_send, (number, data, 0.0))]
    for number in numbers:
        calls += [(host.net_describe, (number,)), (host.net_drain, (number,)), (host.net_close, (number, 0)), (host.net_close, (number, 99))]
        calls += [(host.net_receive, (number, size, wait)) for size in (0, 1, 2**31, 2**32, -1, None) for wait in waits]
    for call, values in calls:
        try:
            answer = call(*values)
        except (OSError, TypeError, ValueError, OverflowError, UnicodeError, RuntimeError, host.ResourceLimitError, host.NetworkError):
            continue
        # An engine for TLS reaches nobody, and waiting for nothing ends at once. Where addresses are granted this name may be looked up.
        if call not in (host.net_open_tls, host.net_wait) and (call, values) != (host.net_resolve, ("localhost", 0)):
            influxdb3_local.error(f"ESCAPED {call.__name__} {str(values)[:80]} {str(answer)[:80]}")
