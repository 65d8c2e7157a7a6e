"""Names that wasi-libc's `_socket` lacks, so that code which resolves or connects gets an OSError that it can handle and
that says why, not an AttributeError."""

import errno

import _socket


def _refuse(*args, **kwargs):
    raise OSError(errno.ENETUNREACH, "the network is not available to this plugin")


def install():
    for name in ("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        if not hasattr(_socket, name):
            setattr(_socket, name, _refuse)
    if not hasattr(_socket, "gethostname"):
        _socket.gethostname = lambda: "localhost"
