"""`threading.Lock` and `threading.RLock`. Whoever finds one taken lets other threads run until it is free. What a stopped run
held is free in the next one: it cannot have been asked to release it."""

import _thread

from _tidemark import threads

TIMEOUT_MAX = _thread.TIMEOUT_MAX
# Changes whenever a run was stopped. A lock is held while its holder carries the present one.
_epoch = object()


def renew():
    global _epoch
    _epoch = object()


def _seconds(blocking, timeout):
    """None: without end."""
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return None if timeout == -1 else float(timeout)


class lock:
    __slots__ = ("_holder", "__weakref__")

    def __init__(self):
        self._holder = None

    def acquire(self, blocking=True, timeout=-1):
        if timeout == -1 and self._holder is not _epoch:
            self._holder = _epoch
            return True
        seconds = _seconds(blocking, timeout)
        if self._holder is _epoch and (not blocking or not threads.wait_until(self._is_free, seconds)):
            return False
        self._holder = _epoch
        return True

    def __enter__(self):
        if self._holder is not _epoch:
            self._holder = _epoch
            return True
        return self.acquire()

    def __exit__(self, *_):
        self.release()

    def release(self):
        if self._holder is not _epoch:
            raise RuntimeError("release unlocked lock")
        self._holder = None

    def locked(self):
        return self._holder is _epoch

    def _is_free(self):
        return self._holder is not _epoch

    def _at_fork_reinit(self):
        self._holder = None

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __reduce__(self):
        raise TypeError("cannot pickle '_thread.lock' object")

    def __repr__(self):
        return f"<{'locked' if self.locked() else 'unlocked'} _thread.lock object at {hex(id(self))}>"


class RLock:
    __slots__ = ("_held_in", "_owner", "_count", "__weakref__")

    def __init__(self):
        self._held_in = None
        self._owner = None
        self._count = 0

    def acquire(self, blocking=True, timeout=-1):
        if self._count == 0 or self._held_in is not _epoch:
            _seconds(blocking, timeout)
        elif self._owner is threads._current:
            self._count += 1
            return True
        else:
            seconds = _seconds(blocking, timeout)
            if not blocking or not threads.wait_until(self._is_free, seconds):
                return False
        self._held_in, self._owner, self._count = _epoch, threads._current, 1
        return True

    def __enter__(self):
        if self._count == 0:
            self._held_in, self._owner, self._count = _epoch, threads._current, 1
            return True
        return self.acquire()

    def __exit__(self, *_):
        self.release()

    def release(self):
        if self._owner is not threads._current or self._count == 0 or self._held_in is not _epoch:
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1

    def _is_free(self):
        return self._count == 0 or self._held_in is not _epoch

    def _is_owned(self):
        return self._owner is threads._current and not self._is_free()

    def _recursion_count(self):
        return self._count if self._is_owned() else 0

    def _release_save(self):
        if self._is_free():
            raise RuntimeError("cannot release un-acquired lock")
        saved = (self._count, self._owner)
        self._count = 0
        return saved

    def _acquire_restore(self, saved):
        if not self._is_free():
            threads.wait_until(self._is_free)
        self._count, self._owner = saved
        self._held_in = _epoch

    def _at_fork_reinit(self):
        self._count = 0

    def __reduce__(self):
        raise TypeError("cannot pickle '_thread.RLock' object")

    def __repr__(self):
        free = self._is_free()
        owner = 0 if free else self._owner.ident
        return f"<{'unlocked' if free else 'locked'} _thread.RLock object owner={owner} count={self._count} at {hex(id(self))}>"
