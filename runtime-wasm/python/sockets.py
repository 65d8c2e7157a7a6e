"""The module `_socket` under which `socket` finds what it stands on: TCP clients over the server's connections, pairs in
memory, and names that the server resolves. A listener hears the same interpreter only, for libraries that make a pair of one;
what would need other listeners or datagrams is refused."""

import errno
import json
import time

import _socket as _builtin
import _tidemark_host as host

from _tidemark import endpoints
from _tidemark.endpoints import Endpoint, gaierror, herror

# Constants and address conversions of wasi-libc; what it lacks has Linux's numbers.
globals().update({name: value for name, value in vars(_builtin).items() if not name.startswith("__")})

_LINUX = dict(
    AF_UNSPEC=0, AF_INET=2, AF_INET6=10, SOCK_STREAM=1, SOCK_DGRAM=2, SOCK_RAW=3, SOCK_NONBLOCK=2048, SOCK_CLOEXEC=524288,
    SOL_SOCKET=1, SOL_TCP=6, SO_REUSEADDR=2, SO_TYPE=3, SO_ERROR=4, SO_BROADCAST=6, SO_SNDBUF=7, SO_RCVBUF=8, SO_KEEPALIVE=9,
    SO_LINGER=13, SO_REUSEPORT=15, SO_RCVTIMEO=20, SO_SNDTIMEO=21, IPPROTO_IP=0, IPPROTO_TCP=6, IPPROTO_UDP=17,
    IPPROTO_IPV6=41, IPV6_V6ONLY=26, TCP_NODELAY=1, TCP_KEEPIDLE=4, TCP_KEEPINTVL=5, TCP_KEEPCNT=6, TCP_USER_TIMEOUT=18, MSG_OOB=1, MSG_PEEK=2,
    MSG_DONTWAIT=64, MSG_WAITALL=256, MSG_NOSIGNAL=16384, SHUT_RD=0, SHUT_WR=1, SHUT_RDWR=2, AI_PASSIVE=1, AI_CANONNAME=2,
    AI_NUMERICHOST=4, AI_V4MAPPED=8, AI_ALL=16, AI_ADDRCONFIG=32, AI_NUMERICSERV=1024, NI_NUMERICHOST=1, NI_NUMERICSERV=2,
    NI_NAMEREQD=8, NI_DGRAM=16, INADDR_ANY=0, INADDR_LOOPBACK=0x7F000001, INADDR_BROADCAST=0xFFFFFFFF, SOMAXCONN=128,
)
for _name, _value in (_LINUX | endpoints.ADDRESS_ERRORS).items():
    globals().setdefault(_name, _value)

has_ipv6 = True
error = OSError
timeout = TimeoutError
_SERVICES = {"ftp": 21, "ssh": 22, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "imap": 143, "https": 443, "submission": 587, "imaps": 993, "pop3s": 995, "amqp": 5672, "amqps": 5671, "mqtt": 1883}
# Where a listener of the same interpreter is looked for.
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_default_timeout = None


def getdefaulttimeout():
    return _default_timeout


def setdefaulttimeout(value):
    global _default_timeout
    _default_timeout = _checked_timeout(value)


def _checked_timeout(value):
    if value is None:
        return None
    value = float(value)
    if value != value:
        raise ValueError("Invalid value NaN (not a number)")
    if value < 0:
        raise ValueError("Timeout value out of range")
    return value


class socket:
    """`socket.socket` is a subclass. One of its states is open: not connected, connecting, connected."""

    __slots__ = ("_number", "_family", "_type", "_proto", "_timeout", "_options")

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        family, type, proto = (int(value) for value in (family, type, proto))
        self._number = -1
        family = AF_INET if family == -1 else family
        type = SOCK_STREAM if type == -1 else type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)
        if family not in (AF_INET, AF_INET6):
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported: a plugin connects over IPv4 and IPv6 only")
        if type != SOCK_STREAM:
            raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported: a plugin has TCP connections only")
        self._family, self._type, self._proto = family, type, max(proto, 0)
        self._timeout = _default_timeout
        self._options = {}
        if fileno is None:
            self._number = endpoints.open_number(Endpoint())
        elif not isinstance(fileno, int):
            raise TypeError(f"an integer is required (got type {fileno.__class__.__name__})")
        else:
            endpoints.find(fileno)
            self._number = fileno

    def __del__(self):
        try:
            if self._number != -1:
                endpoints.close_number(self._number)
        except (AttributeError, OSError):
            pass

    @property
    def family(self):
        return self._family

    @property
    def type(self):
        return self._type

    @property
    def proto(self):
        return self._proto

    @property
    def timeout(self):
        return self._timeout

    def fileno(self):
        return self._number

    def detach(self):
        number, self._number = self._number, -1
        return number

    def close(self):
        number = self.detach()
        if number != -1:
            endpoints.close_number(number)

    # ---- settings

    def settimeout(self, value):
        self._timeout = _checked_timeout(value)

    def gettimeout(self):
        return self._timeout

    def setblocking(self, flag):
        self._timeout = None if flag else 0.0

    def getblocking(self):
        return self._timeout != 0

    def setsockopt(self, level, option, value=None, length=None):
        self._endpoint()
        self._options[(int(level), int(option))] = value

    def getsockopt(self, level, option, length=0):
        endpoint = self._endpoint()
        if level == SOL_SOCKET and option == SO_TYPE:
            value = self._type
        elif level == SOL_SOCKET and option == SO_ERROR:
            value = self._take_error(endpoint)
        else:
            value = self._options.get((int(level), int(option)), 0)
        if not length:
            return value
        return value if isinstance(value, bytes) else int(value or 0).to_bytes(length, "little", signed=True)

    def _take_error(self, endpoint):
        if endpoint.error is None and endpoint.connection is not None and not endpoint.connected:
            try:
                endpoint.finish(0)
            except OSError:
                pass
        failure, endpoint.error = endpoint.error, None
        return 0 if failure is None else failure.errno or errno.EIO

    # ---- connecting

    def connect(self, address):
        endpoint = self._endpoint()
        if endpoint.connected:
            raise OSError(errno.EISCONN, "Socket is connected")
        listener = endpoints.listeners.get(address[1]) if isinstance(address, tuple) and len(address) > 1 and address[0] in _OWN_NAMES else None
        if listener is not None:
            return listener.knock(endpoint)
        if endpoint.connection is None:
            endpoint.begin(*self._to_address(address))
        elif self._timeout == 0 and not endpoint.finish(0):
            raise OSError(errno.EALREADY, "Operation already in progress")
        if endpoint.connected:
            return
        if self._timeout == 0:
            raise BlockingIOError(errno.EINPROGRESS, "Operation in progress")
        try:
            connected = endpoint.finish(self._timeout)
        except OSError:
            endpoint.error = None
            raise
        if not connected:
            raise TimeoutError("timed out")

    def connect_ex(self, address):
        try:
            self.connect(address)
        except TimeoutError as problem:
            return problem.errno or errno.EAGAIN
        except OSError as problem:
            if problem.errno is None or isinstance(problem, gaierror):
                raise
            return problem.errno
        return 0

    def _to_address(self, address):
        if not isinstance(address, tuple) or not 2 <= len(address) <= 4:
            raise TypeError(f"{'AF_INET' if self._family == AF_INET else 'AF_INET6'} address must be tuple, not {address.__class__.__name__}")
        name, port = address[:2]
        if not isinstance(port, int):
            raise TypeError(f"'{port.__class__.__name__}' object cannot be interpreted as an integer")
        if not 0 <= port <= 65535:
            raise OverflowError("connect(): port must be 0-65535.")
        found = getaddrinfo(name, port, self._family, SOCK_STREAM)
        return found[0][4][0], port

    def getsockname(self):
        endpoint = self._endpoint()
        if endpoint.port is not None:
            return self._as_name("127.0.0.1" if self._family == AF_INET else "::1", endpoint.port)
        if endpoint.pair is not None:
            return ""
        if endpoint.connection is None:
            return self._as_name("0.0.0.0" if self._family == AF_INET else "::", 0)
        return self._as_name(*(endpoint.describe().get("local") or ("0.0.0.0", 0)))

    def getpeername(self):
        endpoint = self._endpoint()
        if endpoint.pair is not None:
            return ""
        remote = endpoint.describe().get("remote") if endpoint.connection is not None and endpoint.connected else None
        if remote is None:
            raise OSError(errno.ENOTCONN, "Socket not connected")
        return self._as_name(*remote)

    def _as_name(self, address, port):
        return (address, port) if self._family == AF_INET else (address, port, 0, 0)

    def bind(self, address):
        """Any port of any address of ours, which is what happens anyhow, or a port that only this interpreter knows."""
        endpoint = self._endpoint()
        name, port = address[:2]
        if port != 0 or name not in _OWN_NAMES and name not in ("", "0.0.0.0", "::"):
            raise PermissionError(errno.EPERM, "a plugin cannot choose its own address or port")
        if name in _OWN_NAMES:
            endpoint.port = endpoints.choose_port()

    def listen(self, backlog=None):
        endpoint = self._endpoint()
        if endpoint.port is None:
            raise PermissionError(errno.EPERM, "a plugin cannot listen for connections of others")
        endpoint.listen()

    def _accept(self):
        waiting = self._endpoint().accept(self._timeout)
        if waiting is None:
            self._raise_nothing(0)
        return endpoints.open_number(waiting), self._as_name("127.0.0.1" if self._family == AF_INET else "::1", 0)

    def shutdown(self, how):
        endpoint = self._endpoint()
        if not endpoint.connected:
            raise OSError(errno.ENOTCONN, "Socket not connected")
        if how not in (SHUT_RD, SHUT_WR, SHUT_RDWR):
            raise OSError(errno.EINVAL, "Invalid argument")
        if how != SHUT_WR:
            endpoint.ended[0] = True
        if how != SHUT_RD:
            endpoint.end_writing()

    # ---- bytes

    def send(self, data, flags=0):
        with memoryview(data) as view, view.cast("B") as octets:
            taken = self._endpoint().send(octets, self._wait(flags))
            if taken is None:
                self._raise_nothing(flags)
            return taken

    def sendall(self, data, flags=0):
        with memoryview(data) as view, view.cast("B") as octets:
            endpoint = self._endpoint()
            deadline = None if not self._timeout else time.monotonic() + self._timeout
            position = 0
            while position < len(octets):
                wait = self._timeout if deadline is None else max(0.0, deadline - time.monotonic())
                taken = endpoint.send(octets[position:], wait)
                if taken is None:
                    self._raise_nothing(flags)
                position += taken

    def sendto(self, data, *rest):
        raise OSError(errno.EISCONN, "Socket is connected: use send()")

    def recv(self, bufsize, flags=0):
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        data = self._receive(bufsize, flags)
        while flags & MSG_WAITALL and data and len(data) < bufsize and (more := self._receive(bufsize - len(data), flags)):
            data += more
        return data

    def recv_into(self, buffer, nbytes=0, flags=0):
        with memoryview(buffer) as view, view.cast("B") as octets:
            if nbytes < 0:
                raise ValueError("negative buffersize in recv_into")
            if nbytes > len(octets):
                raise ValueError("buffer too small for requested bytes")
            data = self.recv(nbytes or len(octets), flags)
            octets[: len(data)] = data
            return len(data)

    def recvfrom(self, bufsize, flags=0):
        return self.recv(bufsize, flags), None

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        return self.recv_into(buffer, nbytes, flags), None

    def _receive(self, count, flags):
        data = self._endpoint().receive(count, self._wait(flags), bool(flags & MSG_PEEK))
        if data is None:
            self._raise_nothing(flags)
        return data

    def _wait(self, flags):
        return 0.0 if flags & MSG_DONTWAIT else self._timeout

    def _raise_nothing(self, flags):
        if self._wait(flags) == 0:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        raise TimeoutError("timed out")

    def _endpoint(self):
        return endpoints.find(self._number)


SocketType = socket


def socketpair(family=None, type=SOCK_STREAM, proto=0):
    pair = []
    for endpoint in endpoints.pair():
        pair.append(socket(AF_INET, type, proto, fileno=endpoints.open_number(endpoint)))
    return tuple(pair)


def dup(number):
    return endpoints.open_number(endpoints.find(number))


def close(number):
    endpoints.close_number(number)


# ---- names


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    port = _port_number(port)
    if type not in (0, SOCK_STREAM, SOCK_DGRAM):
        raise gaierror(endpoints.ADDRESS_ERRORS["EAI_SOCKTYPE"], "ai_socktype not supported")
    kind, protocol = (SOCK_DGRAM, IPPROTO_UDP) if type == SOCK_DGRAM else (SOCK_STREAM, IPPROTO_TCP)
    found = []
    for address in _addresses(host, port, flags):
        is_new = ":" in address
        if family in (AF_UNSPEC, AF_INET6 if is_new else AF_INET):
            name = (address, port, 0, 0) if is_new else (address, port)
            found.append((AF_INET6 if is_new else AF_INET, kind, protocol, "", name))
    if not found:
        raise gaierror(endpoints.ADDRESS_ERRORS["EAI_NONAME"], "Name or service not known")
    return found


def _port_number(port):
    if port is None:
        return 0
    if isinstance(port, (str, bytes)):
        text = port if isinstance(port, str) else port.decode("ascii", "replace")
        port = int(text) if text.isascii() and text.isdigit() else _SERVICES.get(text)
        if port is None:
            raise gaierror(endpoints.ADDRESS_ERRORS["EAI_SERVICE"], "Servname not supported for ai_socktype")
    if not isinstance(port, int):
        raise OSError("Int or String expected")
    if not 0 <= port <= 65535:
        raise OverflowError("getaddrinfo: port must be 0-65535.")
    return port


def _addresses(host_name, port, flags):
    if host_name is None or host_name in ("", b""):
        return ["0.0.0.0", "::"] if flags & AI_PASSIVE else ["127.0.0.1", "::1"]
    name = host_name.decode("ascii", "replace") if isinstance(host_name, (bytes, bytearray)) else host_name
    if not isinstance(name, str):
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    if _is_address(name):
        return [name]
    if flags & AI_NUMERICHOST:
        raise gaierror(endpoints.ADDRESS_ERRORS["EAI_NONAME"], "Name or service not known")
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    return json.loads(endpoints.call(host.net_resolve, name, port))


def _is_address(name):
    for family in (AF_INET, AF_INET6):
        try:
            inet_pton(family, name.partition("%")[0])
            return True
        except (OSError, ValueError):
            pass
    return False


def gethostbyname(name):
    return getaddrinfo(name, None, AF_INET)[0][4][0]


def gethostbyname_ex(name):
    return name, [], [entry[4][0] for entry in getaddrinfo(name, None, AF_INET)]


def gethostbyaddr(name):
    return name, [], [entry[4][0] for entry in getaddrinfo(name, None)]


def getnameinfo(sockaddr, flags):
    """Numbers only: addresses are not looked up."""
    if flags & NI_NAMEREQD:
        raise gaierror(endpoints.ADDRESS_ERRORS["EAI_NONAME"], "Name or service not known")
    return sockaddr[0], str(sockaddr[1])


def gethostname():
    return "localhost"


def getservbyname(name, protocol=None):
    if name not in _SERVICES:
        raise OSError("service/proto not found")
    return _SERVICES[name]


def getservbyport(port, protocol=None):
    for name, number in _SERVICES.items():
        if number == port:
            return name
    raise OSError("port/proto not found")


def getprotobyname(name):
    numbers = {"icmp": 1, "tcp": IPPROTO_TCP, "udp": IPPROTO_UDP}
    if name not in numbers:
        raise OSError("protocol not found")
    return numbers[name]
