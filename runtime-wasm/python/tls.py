"""The module `_ssl` under which `ssl` finds what it stands on. TLS ends in the server, with the server's trust store: a context
is the settings of a handshake, and a connection whose handshake has ended carries plain bytes here."""

import base64
import errno
import json
import os

import _tidemark_host as host

from _tidemark import endpoints
from _tidemark.endpoints import END_ALL, END_WRITING, FAILED, READABLE, WRITABLE

OPENSSL_VERSION = "OpenSSL 3.0.0 (in the server)"
OPENSSL_VERSION_NUMBER = 0x30000000
OPENSSL_VERSION_INFO = _OPENSSL_API_VERSION = (3, 0, 0, 0, 0)
_DEFAULT_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"

HAS_SNI = HAS_ECDH = HAS_ALPN = HAS_TLSv1 = HAS_TLSv1_1 = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_PSK = HAS_TLS_UNIQUE = False

PROTOCOL_SSLv23 = PROTOCOL_TLS = 2
PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 3, 4, 5, 16, 17
PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED = -2, -1
PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3 = 768, 769, 770, 771, 772
CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)
VERIFY_DEFAULT, VERIFY_CRL_CHECK_LEAF, VERIFY_CRL_CHECK_CHAIN = 0, 4, 12
VERIFY_X509_STRICT, VERIFY_ALLOW_PROXY_CERTS, VERIFY_X509_TRUSTED_FIRST, VERIFY_X509_PARTIAL_CHAIN = 32, 64, 32768, 524288
OP_ALL, OP_NO_SSLv2, OP_NO_SSLv3, OP_NO_TLSv1, OP_NO_TLSv1_1, OP_NO_TLSv1_2, OP_NO_TLSv1_3 = (
    0x80000050, 0, 0x2000000, 0x4000000, 0x10000000, 0x8000000, 0x20000000,
)
OP_CIPHER_SERVER_PREFERENCE, OP_SINGLE_DH_USE, OP_SINGLE_ECDH_USE, OP_NO_TICKET, OP_NO_COMPRESSION = 0x400000, 0, 0, 0x4000, 0x20000
OP_LEGACY_SERVER_CONNECT, OP_NO_RENEGOTIATION, OP_IGNORE_UNEXPECTED_EOF, OP_ENABLE_MIDDLEBOX_COMPAT = 4, 0x40000000, 0x80, 0x100000
(
    SSL_ERROR_SSL, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_WANT_X509_LOOKUP, SSL_ERROR_SYSCALL, SSL_ERROR_ZERO_RETURN,
    SSL_ERROR_WANT_CONNECT, SSL_ERROR_EOF, SSL_ERROR_INVALID_ERROR_CODE,
) = range(1, 10)
ALERT_DESCRIPTION_CLOSE_NOTIFY, ALERT_DESCRIPTION_HANDSHAKE_FAILURE, ALERT_DESCRIPTION_INTERNAL_ERROR = 0, 40, 80
HOSTFLAG_NEVER_CHECK_SUBJECT = 32
ENCODING_PEM, ENCODING_DER = 1, 2

_VERSION_NAMES = {PROTO_TLSv1: "TLSv1", PROTO_TLSv1_1: "TLSv1.1", PROTO_TLSv1_2: "TLSv1.2", PROTO_TLSv1_3: "TLSv1.3"}
_VERSION_OPTIONS = {PROTO_TLSv1: OP_NO_TLSv1, PROTO_TLSv1_1: OP_NO_TLSv1_1, PROTO_TLSv1_2: OP_NO_TLSv1_2, PROTO_TLSv1_3: OP_NO_TLSv1_3}
_PEM_BEGIN = "-----BEGIN CERTIFICATE-----"
_PEM_END = "-----END CERTIFICATE-----"
# Bundles of the public authorities that packages bring along: the server's trust store stands in their place, which has what
# its administrator added besides, and hands no handshake 144 certificates.
_PUBLIC_AUTHORITIES = ("/site-packages/certifi/cacert.pem", "/site-packages/botocore/cacert.pem")
_FETCH_BYTES = 65536


# ---- failures


class SSLError(OSError):
    library = None
    reason = None

    def __str__(self):
        return self.strerror if isinstance(self.strerror, str) else str(self.args)


class SSLZeroReturnError(SSLError):
    """The peer ended TLS."""


class SSLWantReadError(SSLError):
    """Nothing can be read now."""


class SSLWantWriteError(SSLError):
    """Nothing can be written now."""


class SSLSyscallError(SSLError):
    """The connection broke."""


class SSLEOFError(SSLError):
    """The connection ended in the middle of TLS."""


class SSLCertVerificationError(SSLError, ValueError):
    verify_code = 0
    verify_message = ""


for _class in (SSLError, SSLZeroReturnError, SSLWantReadError, SSLWantWriteError, SSLSyscallError, SSLEOFError, SSLCertVerificationError):
    _class.__module__ = "ssl"
del _class

_ENDED_EARLY = ("SSL_ERROR", "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")
_CERTIFICATE_FAILURE = "CERTIFICATE_VERIFY_FAILED"


def _to_exception(code, text):
    """`text` of a code other than that of certificates begins with OpenSSL's reason: `[SSL: REASON] words`."""
    if code == _CERTIFICATE_FAILURE:
        failure = SSLCertVerificationError(SSL_ERROR_SSL, f"[SSL: {code}] {text} (_ssl.c)")
        failure.verify_code, failure.verify_message = 1, text.partition(": ")[2]
        failure.library, failure.reason = "SSL", code
        return failure
    reason = text.partition("] ")[0].partition(": ")[2] or None
    is_end = reason == "UNEXPECTED_EOF_WHILE_READING"
    failure = (SSLEOFError if is_end else SSLError)(SSL_ERROR_EOF if is_end else SSL_ERROR_SSL, f"{text} (_ssl.c)")
    failure.library, failure.reason = "SSL", reason
    return failure


endpoints.to_tls_exception = _to_exception


def _want_read():
    return SSLWantReadError(SSL_ERROR_WANT_READ, "The operation did not complete (read) (_ssl.c)")


def _want_write():
    return SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write) (_ssl.c)")


# ---- certificates


def _pem_of(der):
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([_PEM_BEGIN, *lines, _PEM_END, ""])


def _certificates_of(pem):
    """The certificates of a bundle, each as PEM."""
    found = []
    for part in pem.split(_PEM_BEGIN)[1:]:
        body, end, _ = part.partition(_PEM_END)
        if end:
            found.append(_PEM_BEGIN + body + _PEM_END + "\n")
    return found


def _der_of(pem):
    return base64.b64decode("".join(pem.split("-----")[2].split()))


def _read_text(path):
    with open(os.fspath(path), encoding="utf-8", errors="replace") as file:
        return file.read()


class Certificate:
    """What the peer showed."""

    def __init__(self, der, described):
        self._der = der
        self._described = described

    def public_bytes(self, format=ENCODING_PEM):
        return self._der if format == ENCODING_DER else _pem_of(self._der)

    def get_info(self):
        return self._described


class SSLSession:
    """Sessions are the server's: none is ever handed out."""

    def __init__(self):
        raise TypeError("cannot create '_ssl.SSLSession' instances")


class MemoryBIO:
    """Encrypted bytes on their way between the code that carries them and an end of TLS."""

    def __init__(self):
        self._bytes = bytearray()
        self._ended = False

    @property
    def pending(self):
        return len(self._bytes)

    @property
    def eof(self):
        return self._ended and not self._bytes

    def read(self, size=-1):
        count = len(self._bytes) if size is None or size < 0 else size
        piece = bytes(self._bytes[:count])
        del self._bytes[:count]
        return piece

    def write(self, data):
        if self._ended:
            failure = SSLError("cannot write() after write_eof()")
            raise failure
        with memoryview(data) as view:
            self._bytes += view.cast("B")
            return view.nbytes

    def write_eof(self):
        self._ended = True


# ---- contexts


class _SSLContext:
    """The settings of handshakes."""

    def __new__(cls, protocol):
        self = object.__new__(cls)
        if protocol == PROTOCOL_TLS_SERVER:
            raise NotImplementedError("a plugin cannot be a TLS server")
        versions = {PROTOCOL_TLSv1: PROTO_TLSv1, PROTOCOL_TLSv1_1: PROTO_TLSv1_1, PROTOCOL_TLSv1_2: PROTO_TLSv1_2}
        if protocol not in versions and protocol not in (PROTOCOL_TLS, PROTOCOL_TLS_CLIENT):
            raise ValueError("invalid or unsupported protocol version")
        only = versions.get(protocol)
        self._protocol = protocol
        self._check_hostname = protocol == PROTOCOL_TLS_CLIENT
        self._verify_mode = CERT_REQUIRED if protocol == PROTOCOL_TLS_CLIENT else CERT_NONE
        self._verify_flags = VERIFY_X509_TRUSTED_FIRST
        self._options = OP_ALL | OP_NO_SSLv3 | OP_NO_COMPRESSION | OP_CIPHER_SERVER_PREFERENCE | OP_ENABLE_MIDDLEBOX_COMPAT | OP_IGNORE_UNEXPECTED_EOF
        self._minimum_version = only or PROTO_TLSv1_2
        self._maximum_version = only or PROTO_MAXIMUM_SUPPORTED
        self._default_trust = False
        self._trust = {}
        self._chain = (None, None, None)
        self._alpn = ()
        self._ciphers = None
        self._host_flags = 0
        self.post_handshake_auth = False
        self.keylog_filename = None
        self.sni_callback = None
        self._callback = None
        return self

    @property
    def protocol(self):
        return self._protocol

    @property
    def check_hostname(self):
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value):
        self._check_hostname = bool(value)
        if self._check_hostname and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value):
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = int(value)

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        self._verify_flags = int(value)

    @property
    def options(self):
        return self._options

    @options.setter
    def options(self, value):
        self._options = int(value)

    @property
    def minimum_version(self):
        return self._minimum_version

    @minimum_version.setter
    def minimum_version(self, value):
        self._minimum_version = self._checked_version(value)

    @property
    def maximum_version(self):
        return self._maximum_version

    @maximum_version.setter
    def maximum_version(self, value):
        self._maximum_version = self._checked_version(value)

    def _checked_version(self, value):
        if value not in _VERSION_NAMES and value not in (PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED, PROTO_SSLv3):
            raise ValueError(f"Unsupported TLS/SSL version {value:#x}")
        return int(value)

    @property
    def _msg_callback(self):
        return self._callback

    @_msg_callback.setter
    def _msg_callback(self, value):
        self._callback = value

    @property
    def security_level(self):
        return 2

    @property
    def num_tickets(self):
        return 2

    @property
    def session_ticket(self):
        return False

    def set_ciphers(self, ciphers):
        self._ciphers = None if ciphers == _DEFAULT_CIPHERS else ciphers

    def get_ciphers(self):
        return []

    def set_ecdh_curve(self, name):
        """The server chooses."""

    def _set_alpn_protocols(self, packed):
        names, at = [], 0
        while at < len(packed):
            names.append(packed[at + 1 : at + 1 + packed[at]].decode("ascii"))
            at += 1 + packed[at]
        self._alpn = tuple(names)

    def set_default_verify_paths(self):
        self._default_trust = True

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cafile is not None and os.fsdecode(cafile).endswith(_PUBLIC_AUTHORITIES):
            self._default_trust = True
        elif cafile is not None:
            self._add_trust(_certificates_of(_read_text(cafile)))
        if capath is not None and os.path.isdir(capath):
            for name in sorted(os.listdir(capath)):
                self._trust.update(dict.fromkeys(_certificates_of(_read_text(os.path.join(capath, name)))))
        if isinstance(cadata, str):
            self._add_trust(_certificates_of(cadata))
        elif cadata is not None:
            self._add_trust([_pem_of(bytes(cadata))])

    def _add_trust(self, certificates):
        if not certificates:
            failure = SSLError(SSL_ERROR_SSL, "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c)")
            failure.library, failure.reason = "X509", "NO_CERTIFICATE_OR_CRL_FOUND"
            raise failure
        self._trust.update(dict.fromkeys(certificates))

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        certificate = _read_text(certfile)
        key = certificate if keyfile is None else _read_text(keyfile)
        password = password() if callable(password) else password
        if isinstance(password, (bytes, bytearray)):
            password = password.decode()
        self._chain = (certificate, key, password)

    def cert_store_stats(self):
        return {"x509": len(self._trust), "crl": 0, "x509_ca": len(self._trust)}

    def get_ca_certs(self, binary_form=False):
        if not binary_form:
            raise NotImplementedError("certificates are not taken apart here: use get_ca_certs(binary_form=True)")
        return [_der_of(pem) for pem in self._trust]

    def session_stats(self):
        names = "number connect connect_good connect_renegotiate accept accept_good accept_renegotiate hits misses timeouts cache_full"
        return dict.fromkeys(names.split(), 0)

    def _versions(self):
        """The lowest and the highest that are allowed, by name."""
        allowed = [
            version
            for version in _VERSION_NAMES
            if not self._options & _VERSION_OPTIONS[version]
            and (self._minimum_version < 0 or version >= self._minimum_version or self._minimum_version == PROTO_MAXIMUM_SUPPORTED and version == PROTO_TLSv1_3)
            and (self._maximum_version < 0 or version <= self._maximum_version)
        ]
        if not allowed:
            raise _to_exception("SSL_ERROR", "[SSL: NO_PROTOCOLS_AVAILABLE] no protocols available")
        return _VERSION_NAMES[allowed[0]], _VERSION_NAMES[allowed[-1]]

    def _settings(self, server_name):
        certificate, key, password = self._chain
        lowest, highest = self._versions()
        settings = {
            "verify": self._verify_mode != CERT_NONE,
            "checkName": self._check_hostname,
            "defaultTrust": self._default_trust,
            "versionMin": lowest,
            "versionMax": highest,
            "alpn": list(self._alpn),
        }
        optional = {
            "serverName": server_name, "trust": "".join(self._trust), "certificate": certificate, "key": key, "passphrase": password,
            "ciphers": self._ciphers,
        }
        settings.update({name: value for name, value in optional.items() if value})
        return json.dumps(settings).encode()

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        _check_client(server_side)
        return _SocketTls(self, sock, server_hostname, owner)

    def _wrap_bio(self, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None):
        _check_client(server_side)
        return _CarriedTls(self, incoming, outgoing, server_hostname, owner)


def _check_client(server_side):
    if server_side:
        raise NotImplementedError("a plugin cannot be a TLS server")


# ---- connections


class _Tls:
    """What both ends have in common; `_connection` is the server's number, `_described` what the handshake agreed on."""

    server_side = False
    session = None
    session_reused = False

    def __init__(self, context, server_hostname, owner):
        self.context = context
        self.server_hostname = server_hostname
        self.owner = owner
        self._described = None

    def _agreed(self):
        return self._described or {}

    def _note_handshake(self):
        self._described = json.loads(endpoints.call(host.net_describe, self._number())).get("tls") or {}

    def getpeercert(self, binary_form=False):
        if self._described is None:
            raise ValueError("handshake not done yet")
        if binary_form:
            der = self._described.get("peerDer")
            return None if der is None else base64.b64decode(der)
        if self._described.get("peerDer") is None:
            return None
        return _with_tuples(self._described.get("peer") or {})

    def get_unverified_chain(self):
        der = self.getpeercert(True)
        return None if der is None else [Certificate(der, self.getpeercert())]

    def get_verified_chain(self):
        return self.get_unverified_chain() if self.context.verify_mode != CERT_NONE else None

    def cipher(self):
        cipher = self._agreed().get("cipher")
        return None if cipher is None else (cipher["name"], cipher["version"], cipher["bits"])

    def shared_ciphers(self):
        return None

    def version(self):
        return self._agreed().get("version")

    def selected_alpn_protocol(self):
        return self._agreed().get("alpn")

    def compression(self):
        return None

    def get_channel_binding(self, cb_type="tls-unique"):
        raise ValueError(f"'{cb_type}' channel binding type not implemented")

    def verify_client_post_handshake(self):
        raise NotImplementedError("post-handshake authentication is the server's affair")


def _with_tuples(value):
    """The dict of `getpeercert`, whose lists of pairs are tuples."""
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    return {name: _with_tuples(item) for name, item in value.items()} if isinstance(value, dict) else value


class _SocketTls(_Tls):
    """TLS on a socket of ours."""

    def __init__(self, context, sock, server_hostname, owner):
        super().__init__(context, server_hostname, owner)
        self._sock = sock

    def _endpoint(self):
        return endpoints.find(self._sock.fileno())

    def _number(self):
        return self._endpoint().connection

    def do_handshake(self):
        endpoint = self._endpoint()
        if self._described is not None:
            return
        if not endpoint.tls:
            if endpoint.connection is None:
                raise OSError(errno.ENOTCONN, "Socket not connected")
            endpoints.call(host.net_start_tls, endpoint.connection, self.context._settings(self.server_hostname))
            endpoint.tls = True
        timeout = self._sock.gettimeout()
        ready = endpoints.wait_for([(endpoint.connection, WRITABLE)], timeout)[0]
        if ready & FAILED:
            raise endpoint.failure()
        if not ready:
            if timeout == 0:
                raise _want_read()
            raise TimeoutError("_ssl.c: The handshake operation timed out")
        self._note_handshake()

    def read(self, count, buffer=None):
        timeout = self._sock.gettimeout()
        data = self._endpoint().receive(count, timeout)
        if data is None:
            if timeout == 0:
                raise _want_read()
            raise TimeoutError("The read operation timed out")
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        timeout = self._sock.gettimeout()
        with memoryview(data) as view, view.cast("B") as octets:
            taken = self._endpoint().send(octets, timeout)
        if taken is None:
            if timeout == 0:
                raise _want_write()
            raise TimeoutError("The write operation timed out")
        return taken

    def pending(self):
        return len(self._endpoint().fetched)

    def shutdown(self):
        self._endpoint().end_writing()
        return self._sock


class _CarriedTls(_Tls):
    """TLS whose encrypted bytes the caller carries between the two `MemoryBIO`s and the peer."""

    def __init__(self, context, incoming, outgoing, server_hostname, owner):
        super().__init__(context, server_hostname, owner)
        self._incoming, self._outgoing = incoming, outgoing
        self._fetched = bytearray()
        self._end_fed = False
        self._opened = None

    def __del__(self):
        try:
            if self._opened is not None:
                host.net_close(self._opened, END_ALL)
        except Exception:
            # The run that opened it has ended, and it with it.
            pass

    def _number(self):
        if self._opened is None:
            self._opened = endpoints.call(host.net_open_tls, self.context._settings(self.server_hostname))
        return self._opened

    def _carry(self):
        """Both ways: what came in, and what came of it."""
        number = self._number()
        while self._incoming.pending:
            endpoints.call(host.net_feed, number, self._incoming.read(_FETCH_BYTES))
        if self._incoming.eof and not self._end_fed:
            self._end_fed = True
            endpoints.call(host.net_feed, number, b"")
        self._drain(number)

    def _drain(self, number):
        while encrypted := endpoints.call(host.net_drain, number):
            self._outgoing.write(encrypted)

    def _check(self, interest):
        """The bits that are ready; raises how it failed."""
        ready = endpoints.wait_for([(self._number(), interest)], 0)[0]
        if ready & FAILED:
            code, text = json.loads(endpoints.call(host.net_describe, self._number())).get("error") or _ENDED_EARLY
            raise endpoints.to_exception(code, text)
        return ready

    def do_handshake(self):
        self._carry()
        if not self._check(WRITABLE):
            raise _want_read()
        if self._described is None:
            self._note_handshake()

    def read(self, count, buffer=None):
        if not self._fetched:
            self._carry()
            arrived = endpoints.call(host.net_receive, self._number(), max(count, _FETCH_BYTES), 0)
            # A key update or a renegotiation may have something to say.
            self._drain(self._number())
            if arrived is None:
                raise _want_read()
            self._fetched += arrived
        data = bytes(self._fetched[:count])
        del self._fetched[:count]
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        self._carry()
        with memoryview(data) as view, view.cast("B") as octets:
            taken = endpoints.call(host.net_send, self._number(), octets[:_FETCH_BYTES], 0)
            is_empty = not len(octets)
        self._drain(self._number())
        if not taken and not is_empty:
            self._check(READABLE)
            raise _want_read()
        return taken

    def pending(self):
        return len(self._fetched)

    def shutdown(self):
        self._carry()
        number = self._number()
        endpoints.call(host.net_close, number, END_WRITING)
        self._drain(number)
        if not self._end_fed and endpoints.call(host.net_receive, number, _FETCH_BYTES, 0) is None:
            raise _want_read()


# ---- what else `ssl` asks for


def get_default_verify_paths():
    return "SSL_CERT_FILE", "", "SSL_CERT_DIR", ""


def RAND_bytes(count):
    return os.urandom(count)


def RAND_status():
    return True


def RAND_add(data, entropy):
    """The server's entropy needs none."""


_OBJECTS = {
    "1.3.6.1.5.5.7.3.1": (129, "serverAuth", "TLS Web Server Authentication"),
    "1.3.6.1.5.5.7.3.2": (130, "clientAuth", "TLS Web Client Authentication"),
}


def txt2obj(text, name=False):
    for identifier, (number, short, long) in _OBJECTS.items():
        if text == identifier or name and text in (short, long):
            return number, short, long, identifier
    raise ValueError(f"unknown object '{text[:100]}'")


def nid2obj(number):
    for identifier, (candidate, short, long) in _OBJECTS.items():
        if candidate == number:
            return number, short, long, identifier
    raise ValueError(f"unknown NID {number}")
