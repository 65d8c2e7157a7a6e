"""`LineBuilder` and its errors (spec: processing-engine §12). `install` puts the builder into builtins and the errors into
`__main__`, where the reference has them."""

import builtins
import sys
from collections import OrderedDict


class InfluxDBError(Exception):
    """Base of the builder's errors."""


class InvalidMeasurementError(InfluxDBError):
    """The measurement name cannot be written."""


class InvalidKeyError(InfluxDBError):
    """A tag or field key cannot be written."""


class InvalidLineError(InfluxDBError):
    """The line is not complete."""


def _check_key(key, kind):
    if not key:
        raise InvalidKeyError(f"{kind} key cannot be empty")
    for character, name in ((" ", "spaces"), (",", "commas"), ("=", "equals signs")):
        if character in key:
            raise InvalidKeyError(f"{kind} key '{key}' cannot contain {name}")


class LineBuilder:
    """Builds one line of line protocol; every setter returns the builder."""

    def __init__(self, measurement):
        if " " in measurement:
            raise InvalidMeasurementError("Measurement name cannot contain spaces")
        self.measurement = measurement
        self.tags = OrderedDict()
        self.fields = OrderedDict()
        self._timestamp_ns = None

    def tag(self, key, value):
        _check_key(key, "tag")
        self.tags[key] = str(value)
        return self

    def uint64_field(self, key, value):
        _check_key(key, "field")
        if value < 0:
            raise ValueError(f"uint64 field '{key}' cannot be negative")
        self.fields[key] = f"{value}u"
        return self

    def int64_field(self, key, value):
        _check_key(key, "field")
        self.fields[key] = f"{value}i"
        return self

    def float64_field(self, key, value):
        _check_key(key, "field")
        self.fields[key] = f"{int(value)}.0" if value % 1 == 0 else str(value)
        return self

    def string_field(self, key, value):
        _check_key(key, "field")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        self.fields[key] = f'"{escaped}"'
        return self

    def bool_field(self, key, value):
        _check_key(key, "field")
        self.fields[key] = "t" if value else "f"
        return self

    def time_ns(self, timestamp_ns):
        self._timestamp_ns = timestamp_ns
        return self

    def build(self):
        line = self.measurement.replace(",", "\\,").replace(" ", "\\ ")
        if self.tags:
            line += "".join([f",{key}={_escape(value)}" for key, value in self.tags.items()])
        if not self.fields:
            raise InvalidLineError(f"At least one field is required: {line}")
        line += " " + ",".join([f"{_escape(key)}={value}" for key, value in self.fields.items()])
        if self._timestamp_ns is not None:
            line += f" {self._timestamp_ns}"
        return line


def _escape(text):
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


_PUBLIC = (InfluxDBError, InvalidMeasurementError, InvalidKeyError, InvalidLineError, LineBuilder)
for _class in _PUBLIC:
    _class.__module__ = "__main__"


_MEMBERS = {name: value for name, value in vars(LineBuilder).items() if name not in ("__dict__", "__weakref__")}


def _restore_members():
    """The reference makes a new class for every run; ours is the same one without what a plugin changed."""
    for name in [name for name in vars(LineBuilder) if name not in _MEMBERS and name not in ("__dict__", "__weakref__")]:
        delattr(LineBuilder, name)
    for name, value in _MEMBERS.items():
        if vars(LineBuilder).get(name) is not value:
            setattr(LineBuilder, name, value)


def install():
    """Before every run: a plugin may have replaced them."""
    _restore_members()
    main = sys.modules["__main__"]
    for public in _PUBLIC:
        setattr(main, public.__name__, public)
    builtins.LineBuilder = LineBuilder
