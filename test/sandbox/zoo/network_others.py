"""Reads, ends and asks about connections by numbers that it was not given."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import struct, _tidemark_host as host
    own = host.net_open("127.0.0.1", int(args["silent"]))
    for number in [*range(2_000), *range(2**32 - 100, 2**32)]:
        if number == own:
            continue
        for call in (lambda: host.net_describe(number), lambda: host.net_receive(number, 10, 0.0), lambda: host.net_send(number, b"x", 0.0), lambda: host.net_close(number, 1)):
            try:
                influxdb3_local.error(f"ESCAPED {number} {call()}")
            except (OSError, host.NetworkError):
                pass
        if host.net_wait(struct.pack("<II", number, 3), 0.0) != b"\x04":
            influxdb3_local.error(f"ESCAPED {number} is open")
