"""Ends with connections, handshakes and ends of TLS open, with bytes on their way and one direction shut."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import json, struct, _tidemark_host as host
    settings = json.dumps({"verify": False, "checkName": False, "defaultTrust": True}).encode()
    for name in ("floods", "silent", "echo", "slow"):
        numbers = [host.net_open("127.0.0.1", int(args[name])) for _ in range(12)]
        for number in numbers[:11]:
            host.net_wait(struct.pack("<II", number, 2), 2.0)
        for number in numbers[:5]:
            host.net_send(number, bytes(1_000_000), 0.0)
        host.net_close(numbers[5], 0)
        for number in numbers[6:10]:
            if name != "floods":
                host.net_start_tls(number, settings)
    for _ in range(8):
        host.net_send(host.net_open_tls(settings), b"x", 0.0)
