"""Asks for TLS whose settings, or whose peer, would keep the server busy for seconds."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import json, struct, _tidemark_host as host
    flags = {"verify": False, "checkName": False, "defaultTrust": False}
    costly = [b"[" * 1_000_000, b'{"alpn":' + b"[" * 1_000_000, b'{"a":' * 200_000, json.dumps({**flags, "alpn": [""] * 100_000}).encode()]
    costly += [json.dumps({**flags, **more}).encode() for more in (
        {"ciphers": "HIGH" + ":-ALL:ALL" * 100_000}, {"alpn": ["x"] * 1_000}, {"key": "-----BEGIN PRIVATE KEY-----" * 50_000}, {"certificate": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n" * 20_000},
        {"trust": "-----BEGIN CERTIFICATE-----" * 70_000}, {"serverName": "a" * 1_000_000}, {"passphrase": "a" * 1_000_000},
    )]
    def handshake(name, settings):
        number = host.net_open("127.0.0.1", int(args[name]))
        try:
            host.net_wait(struct.pack("<II", number, 2), 5.0)
            host.net_start_tls(number, settings)
            host.net_wait(struct.pack("<II", number, 2), 5.0)
            if "error" not in json.loads(host.net_describe(number)):
                influxdb3_local.error(f"ESCAPED {name} {settings[:40]}")
        except ValueError:
            pass
        finally:
            host.net_close(number, 1)
    for settings in costly:
        handshake("echo", settings)
    handshake("slow", json.dumps(flags).encode())
    influxdb3_local.info("all refused")
