"""Opens sockets, resolves names, fetches pages."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import socket, urllib.request, _tidemark_host as host
    ways = [lambda: socket.create_connection(("127.0.0.1", 8181), 1), lambda: socket.socket().connect(("127.0.0.1", 22)),
            lambda: socket.getaddrinfo("example.org", 80), lambda: socket.socket().bind(("0.0.0.0", 8182)), lambda: socket.create_server(("", 0)),
            lambda: urllib.request.urlopen("http://127.0.0.1:8181/health", timeout=1), lambda: socket.fromfd(3, 2, 1).send(b"x"), lambda: host.net_open("127.0.0.1", 22), lambda: host.net_send(1, b"x", None),
            lambda: urllib.request.urlopen("file:///etc/passwd")]
    for index, way in enumerate(ways):
        try:
            way()
        except Exception:
            continue
        influxdb3_local.error(f"ESCAPED way {index}")
