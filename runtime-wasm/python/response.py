"""What `process_request` returned as an HTTP response (spec: processing-engine §10.4): (status, [(name, value)], body).
Beyond the reference, `bytes` are a body as they are, alone or as the first item of a tuple."""

import json

import _tidemark_host as host

from _tidemark import grants
from _tidemark.failure import PluginError

# The host counts again (src/adapters/plugin-runtime/limits.ts).
_body_bytes_max = 10_485_760
HEADERS_MAX = 256
HEADER_BYTES_MAX = 65_536

_HTML, _JSON, _TEXT, _BINARY = "text/html", "application/json", "text/plain", "application/octet-stream"
_STATUS_UNSUPPORTED = 500
_UNSUPPORTED = b'{"error":"Unsupported return type from Python function"}'


def to_response(value):
    """The first matching rule wins. Raises what a plugin's object raises, TypeError for headers that are not text,
    ResourceLimitError for a response that is too large."""
    status, headers, body = _converted(value)
    _check_body(len(body))
    if len(headers) > HEADERS_MAX or sum([len(name) + len(text) for name, text in headers]) > HEADER_BYTES_MAX:
        raise host.ResourceLimitError(f"the response has more than {HEADERS_MAX} headers or {HEADER_BYTES_MAX} bytes of them")
    return status, headers, body


def limit(body_bytes):
    global _body_bytes_max
    _body_bytes_max = body_bytes


def _check_body(size):
    if size > _body_bytes_max:
        host.exceeded(grants.RESPONSE_BYTES)


def _converted(value):
    flask = getattr(value, "__flask_response__", None)
    if callable(flask) and flask() is True:
        return _from_flask(value)
    if isinstance(value, tuple) and 1 <= len(value) <= 3:
        return _from_tuple(value)
    if isinstance(value, bytes):
        return 200, [("Content-Type", _BINARY)], value
    if isinstance(value, (str, dict, list)):
        content_type, body = _body_of(value)
        return 200, [("Content-Type", content_type)], body
    if hasattr(type(value), "__iter__"):
        return 200, [("Content-Type", _HTML)], _joined(value)
    return _STATUS_UNSUPPORTED, [], _UNSUPPORTED


def _from_flask(value):
    status = value.status_code
    if not isinstance(status, int):
        raise TypeError(f"'{type(status).__name__}' object cannot be interpreted as an integer")
    if not 0 <= status <= 65535:
        raise OverflowError("out of range integral type conversion attempted")
    body = value.get_data()
    if not isinstance(body, (str, bytes)):
        raise TypeError(f"'{type(body).__name__}' object is not an instance of 'str'")
    headers = {}
    _add_headers(headers, value.headers)
    return _valid_status(status), list(headers.items()), _encoded(body)


def _from_tuple(value):
    status = 200
    content_type, body = _body_of(value[0])
    headers = {"Content-Type": content_type}
    if len(value) > 1:
        if isinstance(value[1], int):
            status = _valid_status(value[1])
        elif isinstance(value[1], dict):
            _add_headers(headers, value[1])
    if len(value) > 2:
        if not isinstance(value[2], dict):
            raise PluginError("expected a dictionary in header item")
        _add_headers(headers, value[2])
    return status, list(headers.items()), body


def _body_of(value):
    if isinstance(value, str):
        return _HTML, _encoded(value)
    if isinstance(value, (dict, list)):
        return _JSON, json.dumps(value).encode("utf-8")
    if isinstance(value, bytes):
        return _BINARY, value
    return _TEXT, _encoded(str(value))


def _encoded(body):
    return body if isinstance(body, bytes) else body.encode("utf-8")


def _joined(items):
    """Counted as it comes: a generator need not end."""
    parts = []
    size = 0
    for item in items:
        if isinstance(item, (str, bytes)):
            parts.append(_encoded(item))
            size += len(parts[-1])
            _check_body(size)
    return b"".join(parts)


def _valid_status(status):
    return int(status) if 100 <= status <= 999 else 500


def _add_headers(headers, given):
    if not isinstance(given, dict):
        raise TypeError(f"'{type(given).__name__}' object is not an instance of 'dict'")
    for name, value in given.items():
        for text in (name, value):
            if not isinstance(text, str):
                raise TypeError(f"'{type(text).__name__}' object is not an instance of 'str'")
        headers[name] = value
