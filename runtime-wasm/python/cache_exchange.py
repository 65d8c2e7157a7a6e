"""The private cache of a trigger whose runs overlap in several instances (design §8.10): each instance tells which keys it
changed, as plain data, and is told what the others changed. A value that is no plain data stays with the instance that
put it; the others are told that they have none.

Changes are entries back to back, numbers little-endian: u32 size of the key, the key in UTF-8, u8 kind (0 deleted, 1 value,
2 no plain data), f64 seconds left to live (NaN: no end), u32 size of the value, the value as data_codec encodes it.
"""

import struct
import time

from _tidemark import cache, data_codec

_DELETED, _VALUE, _NOT_DATA = range(3)
_U32 = struct.Struct("<I")
_TAIL = struct.Struct("<BdI")
_ENDLESS = float("nan")
# What the others know of each key: the hash of a value, or one of the marks below.
_known = {}
_KNOWN_NOT_DATA = object()


def changes():
    """Bytes of what changed since the last call."""
    parts = []
    now = time.monotonic()
    entries = cache.entries()
    for key in cache.take_touched():
        entry = entries.get(key)
        if entry is None:
            if _known.pop(key, None) is not None:
                _add(parts, key, _DELETED, _ENDLESS, b"")
            continue
        value, expires_at = entry
        left = _ENDLESS if expires_at is None else max(0.0, expires_at - now)
        try:
            encoded = data_codec.encode(value)
        except (TypeError, ValueError):
            if _known.get(key) is not _KNOWN_NOT_DATA:
                _known[key] = _KNOWN_NOT_DATA
                _add(parts, key, _NOT_DATA, left, b"")
            continue
        mark = (hash(encoded), len(encoded), expires_at)
        if _known.get(key) != mark:
            _known[key] = mark
            _add(parts, key, _VALUE, left, encoded)
    return b"".join(parts)


def _add(parts, key, kind, left, encoded):
    name = key.encode("utf-8", "surrogatepass")
    parts.append(_U32.pack(len(name)))
    parts.append(name)
    parts.append(_TAIL.pack(kind, left, len(encoded)))
    parts.append(encoded)


def merge(data):
    """Takes over what the others changed. ValueError for damaged bytes."""
    cache.take_touched()
    now = time.monotonic()
    entries = cache.entries()
    at = 0
    while at < len(data):
        try:
            size = _U32.unpack_from(data, at)[0]
            key = data[at + 4 : at + 4 + size].decode("utf-8", "surrogatepass")
            at += 4 + size
            kind, left, size = _TAIL.unpack_from(data, at)
        except struct.error:
            raise ValueError("damaged cache changes") from None
        at += _TAIL.size
        encoded = data[at : at + size]
        at += size
        if kind == _VALUE:
            expires_at = None if left != left else now + left
            entries[key] = (data_codec.decode(encoded), expires_at)
            _known[key] = (hash(encoded), len(encoded), expires_at)
        else:
            cache.forget(key)
            _known.pop(key, None)
