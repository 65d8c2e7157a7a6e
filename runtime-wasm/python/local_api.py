"""`influxdb3_local` (spec: processing-engine §11): nine attributes that cannot be assigned. Buffered writes belong to the
run under way; an object kept from an earlier run works on the current one."""

import _tidemark_host as host

from _tidemark import cache as cache_module
from _tidemark import grants
from _tidemark.argument_types import require, require_text

_INFO, _WARN, _ERROR = range(3)
# The host counts again; here a plugin sees the limit as an exception (src/adapters/plugin-runtime/limits.ts).
DATABASES_MAX = 64
_write_bytes_max = 67_108_864
_buffered = {}
_buffered_bytes = 0


def limit(write_bytes):
    global _write_bytes_max
    _write_bytes_max = write_bytes


def _joined(values):
    return " ".join([str(value) for value in values])


def _built(line):
    """Text of an object with `build()`; any number of lines."""
    text = line.build()
    if not isinstance(text, str):
        raise TypeError(f"'{type(text).__name__}' object is not an instance of 'str'")
    if not text.isascii():
        text.encode("utf-8")
    return text


def _refuse_internal(database):
    if database == "_internal":
        raise Exception("error writing line protocol to _internal: cannot modify internal db")


def _buffer(database, text):
    global _buffered_bytes
    size = _buffered_bytes + 1 + (len(text) if text.isascii() else len(text.encode("utf-8")))
    if size > _write_bytes_max:
        host.exceeded(grants.WRITE_BYTES)
    lines = _buffered.get(database)
    if lines is None:
        if database is not None:
            host.check_grant(grants.DB, database)
        if len(_buffered) >= DATABASES_MAX:
            raise host.ResourceLimitError(f"one run writes to more than {DATABASES_MAX} databases")
        lines = _buffered[database] = []
    lines.append(text)
    _buffered_bytes = size


def _parameter_name(name):
    require_text("args", name)
    return name


def _parameter_text(value):
    """Numbers as their text, which is compared as a number; the reference refuses them (spec: processing-engine §19)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    require_text("args", value)
    return value


class PyPluginCallApi:
    __slots__ = ()

    def info(self, *args):
        host.log(_INFO, _joined(args))

    def warn(self, *args):
        host.log(_WARN, _joined(args))

    def error(self, *args):
        host.log(_ERROR, _joined(args))

    def query(self, query, args=None, database=None):
        require_text("query", query)
        if args is not None:
            require("args", args, dict)
            args = {_parameter_name(name): _parameter_text(value) for name, value in args.items()}
        if database is not None:
            require_text("database", database)
        return host.query(query, args or {}, database)

    def write(self, line):
        _buffer(None, _built(line))

    def write_to_db(self, db, line):
        require_text("db", db)
        _refuse_internal(db)
        _buffer(db, _built(line))

    def write_sync(self, line, no_sync):
        require("no_sync", no_sync, bool)
        host.write_sync(None, _built(line), no_sync)

    def write_sync_to_db(self, db, line, no_sync):
        require_text("db", db)
        require("no_sync", no_sync, bool)
        _refuse_internal(db)
        host.write_sync(db, _built(line), no_sync)

    @property
    def cache(self):
        cache_module.sweep()
        return cache_module.CACHE


LOCAL_API = PyPluginCallApi()


def discard_writes():
    global _buffered_bytes
    _buffered.clear()
    _buffered_bytes = 0


def take_writes():
    """[(database or None, lines)] in the order of first use."""
    writes = [(database, "\n".join(lines)) for database, lines in _buffered.items()]
    discard_writes()
    return writes
