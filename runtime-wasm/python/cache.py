"""`influxdb3_local.cache` (spec: processing-engine §13). The private part keeps objects by reference as long as the
instance lives; the global part lives in the host and takes plain data only."""

import time

import _tidemark_host as host

from _tidemark import data_codec, grants, value_size
from _tidemark.argument_types import require

SWEEP_INTERVAL_SECONDS = 10.0
TTL_SECONDS_MAX = 2.0**64

_entries = {}
_sizes = {}
_bytes = 0
_bytes_max = 67_108_864
_next_sweep = 0.0
# Keys that were read or written since the host asked last; None: nobody else has this cache.
_touched = None
_ABSENT = (None, None)


def _expiry(ttl):
    """Seconds to live as float, or None. ValueError as the reference's conversion words it."""
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not hasattr(type(ttl), "__float__") and not hasattr(type(ttl), "__index__"):
        raise TypeError(f"argument 'ttl': must be real number, not {type(ttl).__name__}")
    seconds = float(ttl)
    if seconds < 0:
        raise ValueError("cannot convert float seconds to Duration: value is negative")
    if not seconds < TTL_SECONDS_MAX:
        raise ValueError("cannot convert float seconds to Duration: value is either too big or NaN")
    return seconds


def _count(key, size):
    """ResourceLimitError when the entry does not fit; the old one then stays."""
    global _bytes
    total = _bytes - _sizes.get(key, 0) + size
    if total > _bytes_max:
        _drop_expired(time.monotonic())
        total = _bytes - _sizes.get(key, 0) + size
        if total > _bytes_max:
            host.exceeded(grants.CACHE_BYTES)
    _bytes = total
    _sizes[key] = size


def _drop(key):
    global _bytes
    del _entries[key]
    _bytes -= _sizes.pop(key, 0)


class PyCache:
    __slots__ = ()

    def put(self, key, value, ttl=None, use_global=None):
        require("key", key, str)
        _require_flag(use_global)
        seconds = _expiry(ttl)
        if use_global:
            host.global_cache_put(key, data_codec.encode(value), seconds)
        else:
            _count(key, value_size.size_of(value))
            _touch(key)
            _entries[key] = (value, None if seconds is None else time.monotonic() + seconds)

    def get(self, key, default=None, use_global=None):
        require("key", key, str)
        _require_flag(use_global)
        if use_global:
            data = host.global_cache_get(key)
            return default if data is None else data_codec.decode(data)
        _touch(key)
        value, expires_at = _entries.get(key, _ABSENT)
        if expires_at is not None and expires_at <= time.monotonic():
            _drop(key)
            return default
        return value if value is not None or key in _entries else default

    def delete(self, key, use_global=None):
        require("key", key, str)
        _require_flag(use_global)
        if use_global:
            return host.global_cache_delete(key)
        if key not in _entries:
            return False
        _touch(key)
        _drop(key)
        return True


def _touch(key):
    """What was read may have been changed in place."""
    if _touched is not None:
        _touched.add(key)


def _require_flag(use_global):
    if use_global is not None:
        require("use_global", use_global, bool)


CACHE = PyCache()


def sweep():
    """Drops expired entries, at most every SWEEP_INTERVAL_SECONDS."""
    global _next_sweep
    now = time.monotonic()
    if now < _next_sweep:
        return
    _next_sweep = now + SWEEP_INTERVAL_SECONDS
    _drop_expired(now)


def _drop_expired(now):
    expired = [key for key, (_, expires_at) in _entries.items() if expires_at is not None and expires_at <= now]
    for key in expired:
        _touch(key)
        _drop(key)


def size():
    _drop_expired(time.monotonic())
    return len(_entries)


def clear():
    global _bytes
    _entries.clear()
    _sizes.clear()
    _bytes = 0


def forget(key):
    if key in _entries:
        _drop(key)


def entries():
    """Key to (value, monotonic second of its end or None)."""
    return _entries


def take_touched():
    """Keys since the last call, the first of which begins the noting."""
    global _touched
    keys = _touched
    _touched = set()
    return keys if keys is not None else set()


def resume(bytes_max):
    """Monotonic time starts anew in a restored image."""
    global _next_sweep, _bytes_max
    _next_sweep = 0.0
    _bytes_max = bytes_max
