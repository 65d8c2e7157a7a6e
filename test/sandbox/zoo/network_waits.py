"""Opens all connections that it may to a server that floods, and asks for each a thousand times over, without end."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import struct, _tidemark_host as host
    numbers = [host.net_open("127.0.0.1", int(args["floods"])) for _ in range(64)]
    interests = b"".join(struct.pack("<II", numbers[index % 64], 3) for index in range(1024))
    while True:
        host.net_wait(interests, 1.0)
