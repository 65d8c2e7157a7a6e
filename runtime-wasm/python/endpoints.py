"""What a socket of a plugin stands on: a connection that the server keeps for this run, or one end of a pair in memory. File
numbers are this module's own, beyond those of real files."""

import errno
import json

import _tidemark_host as host

from _tidemark import threads

READABLE, WRITABLE, FAILED = 1, 2, 4
END_WRITING, END_ALL = 0, 1

FIRST_NUMBER = 1 << 20
# What one host call fetches beyond what was asked for, and what one sends.
_FETCH_BYTES = 65536
_SEND_BYTES = 262144
_PAIR_BYTES = 65536

# Ports of listeners, which nobody outside can see.
_FIRST_PORT, _LAST_PORT = 49152, 65535
_WAITING_MAX = 128

by_number = {}
listeners = {}
_next_port = _FIRST_PORT
_next_number = FIRST_NUMBER


class Endpoint:
    """One open socket, whoever holds numbers for it."""

    __slots__ = ("connection", "pair", "fetched", "numbers", "ended", "connected", "error", "tls", "port", "waiting")

    def __init__(self):
        # The server's number of the connection; None before `connect`.
        self.connection = None
        # The other end of a pair in memory.
        self.pair = None
        # Received already; of a pair: what the other end sent.
        self.fetched = bytearray()
        self.numbers = 0
        # Nothing more will come, nothing more may go.
        self.ended = [False, False]
        self.connected = False
        # A failure that `SO_ERROR` has not told yet.
        self.error = None
        self.tls = False
        # Of a listener: its port here, and the ends that `accept` has not taken yet.
        self.port = None
        self.waiting = None

    # ---- listening to the same interpreter

    def listen(self):
        self.waiting = []
        listeners[self.port] = self

    def knock(self, other):
        """Connects `other` to this listener."""
        if len(self.waiting) >= _WAITING_MAX:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        end = Endpoint()
        join(other, end)
        self.waiting.append(end)

    def accept(self, wait):
        """One end; None: nobody came in that time."""
        if self.waiting is None:
            raise OSError(errno.EINVAL, "Invalid argument")
        if not self.waiting:
            threads.wait_until(lambda: bool(self.waiting), wait)
        return self.waiting.pop(0) if self.waiting else None

    # ---- connecting

    def begin(self, address, port):
        self.connection = call(host.net_open, address, port)

    def finish(self, wait):
        """Waits for the connection; False: not yet."""
        ready = self._wait(WRITABLE, wait)
        if ready & FAILED:
            self.error = self.failure()
            raise self.error
        self.connected = bool(ready & WRITABLE)
        return self.connected

    def failure(self):
        described = self.describe()
        code, text = described.get("error") or ("ECONNRESET", "Connection reset by peer")
        return to_exception(code, text)

    def describe(self):
        return json.loads(call(host.net_describe, self.connection))

    # ---- bytes

    def send(self, data, wait):
        """Number of bytes taken over; None: there was no room in that time."""
        if self.ended[1]:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        if self.pair is not None:
            return self._send_to_pair(data)
        self._check_connected()
        taken = call(host.net_send, self.connection, data[:_SEND_BYTES], wait)
        return taken if taken or not len(data) else None

    def _send_to_pair(self, data):
        if self.pair.ended[0]:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        room = _PAIR_BYTES - len(self.pair.fetched)
        if room <= 0:
            return None
        self.pair.fetched += data[:room]
        return min(room, len(data))

    def receive(self, count, wait, peek=False):
        """Up to so many bytes, none at the end; None: nothing came in that time."""
        if not self.fetched and not self.ended[0]:
            if self.pair is not None:
                if not self._wait_for_pair(wait):
                    return None
            else:
                self._check_connected()
                arrived = call(host.net_receive, self.connection, max(count, _FETCH_BYTES), wait)
                if arrived is None:
                    return None
                if not arrived:
                    self.ended[0] = True
                elif len(arrived) <= count and not peek:
                    return arrived
                self.fetched += arrived
        piece = bytes(self.fetched[:count])
        if not peek:
            del self.fetched[:count]
        return piece

    def _wait_for_pair(self, wait):
        """Only another thread could send meanwhile."""
        came = threads.wait_until(lambda: bool(self.fetched) or self.pair.ended[1], wait)
        if came and not self.fetched:
            self.ended[0] = True
        return came

    def _check_connected(self):
        if self.connection is None:
            raise OSError(errno.ENOTCONN, "Socket not connected")

    # ---- readiness

    def ready_now(self):
        """Bits that need no question to the server; None: it has to be asked."""
        if self.waiting is not None:
            return READABLE if self.waiting else 0
        if self.pair is not None:
            bits = READABLE if self.fetched or self.ended[0] or self.pair.ended[1] else 0
            return bits | (WRITABLE if len(self.pair.fetched) < _PAIR_BYTES else 0)
        if self.connection is None:
            return WRITABLE | FAILED
        return READABLE if self.fetched or self.ended[0] else None

    def _wait(self, interest, wait):
        return wait_for([(self.connection, interest)], wait)[0]

    # ---- ending

    def end_writing(self):
        self.ended[1] = True
        if self.connection is not None:
            call(host.net_close, self.connection, END_WRITING)

    def close(self):
        self.ended = [True, True]
        self.fetched.clear()
        if self.waiting is not None:
            listeners.pop(self.port, None)
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                host.net_close(connection, END_ALL)
            except Exception:
                # It belonged to an earlier run, or this one is being stopped: it is closed already.
                pass


def wait_for(interests, wait):
    """One byte of bits for each (connection, bits)."""
    packed = b"".join(connection.to_bytes(4, "little") + bits.to_bytes(4, "little") for connection, bits in interests)
    return call(host.net_wait, packed, wait)


# ---- file numbers


def open_number(endpoint):
    global _next_number
    number = _next_number
    _next_number += 1
    by_number[number] = endpoint
    endpoint.numbers += 1
    return number


def close_number(number):
    endpoint = by_number.pop(number, None)
    if endpoint is None:
        raise OSError(errno.EBADF, "Bad file descriptor")
    endpoint.numbers -= 1
    if endpoint.numbers == 0:
        endpoint.close()


def find(number):
    endpoint = by_number.get(number)
    if endpoint is None:
        raise OSError(errno.EBADF, "Bad file descriptor")
    return endpoint


def pair():
    left, right = Endpoint(), Endpoint()
    join(left, right)
    return left, right


def join(left, right):
    left.pair, right.pair = right, left
    left.connected = right.connected = True


def choose_port():
    global _next_port
    port = _next_port
    _next_port = port + 1 if port < _LAST_PORT else _FIRST_PORT
    return port


# ---- failures


class gaierror(OSError):
    """`socket.gaierror`."""


class herror(OSError):
    """`socket.herror`."""


ADDRESS_ERRORS = {"EAI_AGAIN": -3, "EAI_BADFLAGS": -1, "EAI_FAIL": -4, "EAI_FAMILY": -6, "EAI_MEMORY": -10, "EAI_NODATA": -5, "EAI_NONAME": -2, "EAI_SERVICE": -8, "EAI_SOCKTYPE": -7}
for _name in (gaierror, herror):
    _name.__module__ = "socket"
del _name

# tls.py puts its own here, which would import this module.
to_tls_exception = None


def to_exception(code, text):
    if code in ADDRESS_ERRORS:
        return gaierror(ADDRESS_ERRORS[code], text)
    number = getattr(errno, code, None)
    if number is not None:
        return OSError(number, text)
    return to_tls_exception(code, text)


def call(function, *arguments):
    try:
        return function(*arguments)
    except host.NetworkError as refusal:
        code, _, text = str(refusal).partition(" ")
        failure = to_exception(code, text)
    raise failure from None
