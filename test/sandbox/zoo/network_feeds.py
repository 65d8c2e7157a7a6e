"""Feeds ends of TLS with garbage, halves of records and megabytes of what cannot be decrypted, without end."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import json, _tidemark_host as host
    settings = json.dumps({"verify": False, "checkName": False, "defaultTrust": False}).encode()
    pieces = [b"\x16", b"\x16\x03\x03\x40\x00" + bytes(1_000_000), bytes(100_000), b"", b"\x17\x03\x03\x00\x01x" * 10_000]
    ends = [host.net_open_tls(settings) for _ in range(64)]
    while True:
        for piece in pieces:
            for end in ends:
                for call in (lambda: host.net_feed(end, piece), lambda: host.net_drain(end), lambda: host.net_send(end, piece, 0.0), lambda: host.net_receive(end, 10, 0.0)):
                    try:
                        call()
                    except (OSError, host.NetworkError):
                        pass
