"""The data-only encoding of values that leave an instance: the global cache, and private caches handed to siblings.

It knows None, bool, int, float, str, bytes, list, tuple, dict, set, datetime and Decimal, exactly those types: a subclass
would come back as something else. Decoding makes values and never runs code; hostile bytes give ValueError.

A value is one type byte and its content, numbers little-endian: `N` `T` `F`; `i` u32 size, two's complement; `f` f64;
`s` u32 size, UTF-8; `b` u32 size, bytes; `l` `t` `e` (set) u32 count, items; `d` u32 count, keys and values in turn;
`D` datetime: u16 year, u8 month, day, hour, minute, second, fold, u32 microsecond, then `N`, or `o` with the offset in
microseconds as i64, or `z` with a zone's key as `s` content; `m` Decimal: u32 size, its text.
"""

import struct
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

DEPTH_MAX = 64
_U32 = struct.Struct("<I")
_F64 = struct.Struct("<d")
_I64 = struct.Struct("<q")
_MOMENT = struct.Struct("<HBBBBBBI")
_MICROSECOND = timedelta(microseconds=1)


def encode(value):
    """Bytes of a value. TypeError names a type that is not data; ValueError for one nested too deeply."""
    parts = []
    _encode(value, parts, 0)
    return b"".join(parts)


def _sized(parts, tag, content):
    parts.append(tag)
    parts.append(_U32.pack(len(content)))
    parts.append(content)


def _encode(value, parts, depth):
    if depth > DEPTH_MAX:
        raise ValueError(f"the value is nested more than {DEPTH_MAX} levels deep")
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"'{type(value).__qualname__}' object is not plain data and cannot be kept in the global cache")
    encoder(value, parts, depth)


def _encode_int(value, parts, depth):
    size = value.bit_length() // 8 + 1
    _sized(parts, b"i", value.to_bytes(size, "little", signed=True))


def _encode_float(value, parts, depth):
    parts.append(b"f" + _F64.pack(value))


def _encode_str(value, parts, depth):
    _sized(parts, b"s", value.encode("utf-8", "surrogatepass"))


def _encode_sequence(tag):
    def encode_sequence(value, parts, depth):
        parts.append(tag + _U32.pack(len(value)))
        for item in value:
            _encode(item, parts, depth + 1)

    return encode_sequence


def _encode_dict(value, parts, depth):
    parts.append(b"d" + _U32.pack(len(value)))
    for key, item in value.items():
        _encode(key, parts, depth + 1)
        _encode(item, parts, depth + 1)


def _encode_datetime(value, parts, depth):
    moment = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.fold, value.microsecond)
    parts.append(b"D" + _MOMENT.pack(*moment))
    zone = value.tzinfo
    if zone is None:
        parts.append(b"N")
    elif type(zone) is timezone:
        parts.append(b"o" + _I64.pack(zone.utcoffset(None) // _MICROSECOND))
    elif type(zone).__name__ == "ZoneInfo" and type(zone).__module__ == "zoneinfo" and zone.key is not None:
        _sized(parts, b"z", zone.key.encode("utf-8"))
    else:
        raise TypeError(f"a datetime with a '{type(zone).__qualname__}' is not plain data and cannot be kept in the global cache")


_ENCODERS = {
    type(None): lambda value, parts, depth: parts.append(b"N"),
    bool: lambda value, parts, depth: parts.append(b"T" if value else b"F"),
    int: _encode_int,
    float: _encode_float,
    str: _encode_str,
    bytes: lambda value, parts, depth: _sized(parts, b"b", value),
    list: _encode_sequence(b"l"),
    tuple: _encode_sequence(b"t"),
    set: _encode_sequence(b"e"),
    dict: _encode_dict,
    datetime: _encode_datetime,
    Decimal: lambda value, parts, depth: _sized(parts, b"m", str(value).encode("ascii")),
}


def decode(data):
    """The value of `encode`d bytes. ValueError for anything else."""
    try:
        reader = _Reader(data)
        value = reader.value(0)
    except (TypeError, OverflowError, InvalidOperation) as problem:
        raise ValueError(f"damaged value: {problem}") from None
    if reader.at != len(data):
        raise ValueError("damaged value: bytes left over")
    return value


class _Reader:
    __slots__ = ("data", "at")

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        end = self.at + size
        if end > len(self.data):
            raise ValueError("damaged value: cut off")
        content = self.data[self.at : end]
        self.at = end
        return content

    def sized(self):
        return self.take(_U32.unpack(self.take(4))[0])

    def items(self, depth, per_item=1):
        count = _U32.unpack(self.take(4))[0] * per_item
        if count > len(self.data) - self.at:
            raise ValueError("damaged value: more items than bytes")
        return [self.value(depth + 1) for _ in range(count)]

    def value(self, depth):
        if depth > DEPTH_MAX:
            raise ValueError(f"damaged value: nested more than {DEPTH_MAX} levels deep")
        decoder = _DECODERS.get(self.take(1))
        if decoder is None:
            raise ValueError("damaged value: unknown type")
        return decoder(self, depth)


def _decode_dict(reader, depth):
    flat = reader.items(depth, 2)
    return dict(zip(flat[::2], flat[1::2]))


def _decode_datetime(reader, depth):
    year, month, day, hour, minute, second, fold, microsecond = _MOMENT.unpack(reader.take(_MOMENT.size))
    zone = _decode_zone(reader)
    return datetime(year, month, day, hour, minute, second, microsecond, zone, fold=fold)


def _decode_zone(reader):
    kind = reader.take(1)
    if kind == b"N":
        return None
    if kind == b"o":
        offset = _I64.unpack(reader.take(8))[0]
        return timezone.utc if offset == 0 else timezone(timedelta(microseconds=offset))
    if kind != b"z":
        raise ValueError("damaged value: unknown time zone")
    import zoneinfo

    key = reader.sized().decode("utf-8")
    try:
        return zoneinfo.ZoneInfo(key)
    except (LookupError, OSError):
        raise ValueError(f"damaged value: no time zone {key!r}") from None


_DECODERS = {
    b"N": lambda reader, depth: None,
    b"T": lambda reader, depth: True,
    b"F": lambda reader, depth: False,
    b"i": lambda reader, depth: int.from_bytes(reader.sized(), "little", signed=True),
    b"f": lambda reader, depth: _F64.unpack(reader.take(8))[0],
    b"s": lambda reader, depth: reader.sized().decode("utf-8", "surrogatepass"),
    b"b": lambda reader, depth: reader.sized(),
    b"l": lambda reader, depth: reader.items(depth),
    b"t": lambda reader, depth: tuple(reader.items(depth)),
    b"e": lambda reader, depth: set(reader.items(depth)),
    b"d": _decode_dict,
    b"D": _decode_datetime,
    b"m": lambda reader, depth: Decimal(reader.sized().decode("ascii")),
}
