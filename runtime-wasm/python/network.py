"""Puts the modules under which `socket`, `select` and `ssl` find the network in the place of those that the interpreter was
built with: they end in the server, which decides what the trigger may reach."""

import sys

from _tidemark import selects, sockets, tls


def install():
    sys.modules["_socket"] = sockets
    sys.modules["select"] = selects
    sys.modules["_ssl"] = tls
