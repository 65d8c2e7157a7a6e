"""Names that wasi-libc's `_socket` lacks, so that code which resolves or connects gets an error that it can handle and that says
why: PermissionError with the grant that is missing, else OSError."""

import errno

import _tidemark_host as host
import _socket

from _tidemark import grants


def _refuse(address=None, port=0, *args, **kwargs):
    if isinstance(address, tuple):
        address, port = (*address, 0, 0)[:2]
    if isinstance(address, (bytes, bytearray)):
        address = address.decode("ascii", "replace")
    host.check_grant(grants.NET, f"{address}:{_port_of(port)}")
    raise OSError(errno.ENETUNREACH, "the network is granted to this trigger, but this version cannot connect yet")


def _port_of(port):
    return {"http": 80, "https": 443}.get(port, port) or 0


def install():
    for name in ("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        if not hasattr(_socket, name):
            setattr(_socket, name, _refuse)
    if not hasattr(_socket, "gethostname"):
        _socket.gethostname = lambda: "localhost"
