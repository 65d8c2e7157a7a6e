"""The module `select` over the server's connections, pairs in memory and real files, which are always ready. Of its two
forms `selectors`, and so `asyncio`, takes `poll`."""

import errno
import time

import select as _builtin

from _tidemark import endpoints, threads
from _tidemark.endpoints import FAILED, READABLE, WRITABLE

error = OSError
POLLIN = getattr(_builtin, "POLLIN", 1)
POLLPRI = getattr(_builtin, "POLLPRI", 0x20)
POLLOUT = getattr(_builtin, "POLLOUT", 2)
POLLERR = getattr(_builtin, "POLLERR", 0x1000)
POLLHUP = getattr(_builtin, "POLLHUP", 0x2000)
POLLNVAL = getattr(_builtin, "POLLNVAL", 0x4000)


def _number_of(file):
    number = file if isinstance(file, int) else getattr(file, "fileno", None)
    if number is None:
        raise TypeError("argument must be an int, or have a fileno() method.")
    number = number if isinstance(number, int) else number()
    if not isinstance(number, int):
        raise TypeError("fileno() returned a non-integer")
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


def _wait(interests, seconds):
    """`interests`: bits by file number; answers the bits that are ready, by number. None: as long as the run may. Other threads
    have their turn first, and when their time has come."""
    if seconds is not None and seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    deadline = None if seconds is None or seconds < 0 else time.monotonic() + seconds
    # Without others one question is enough, the one that waits.
    ready = _look(interests, 0) if threads.count() else {}
    had_turn = False
    while not ready and (deadline is None or not had_turn or time.monotonic() < deadline):
        had_turn = threads.run_one(lambda: bool(_look(interests, 0)), deadline)
        if had_turn:
            ready = _look(interests, 0)
            continue
        left = _left(threads.next_due(deadline))
        threads.check_patience(left or 0.0)
        ready = _look(interests, left)
        if left == 0 and deadline is not None and time.monotonic() >= deadline:
            break
    return ready


def _left(until):
    return None if until is None else max(0.0, until - time.monotonic())


def _look(interests, seconds):
    """What is ready now, or becomes ready within this time."""
    ready, asked = _ready_now(interests)
    if asked:
        answers = endpoints.wait_for([(connection, bits) for _, connection, bits in asked], 0 if ready else seconds)
        for (number, _, bits), answer in zip(asked, answers):
            if answer:
                ready[number] = ready.get(number, 0) | answer & (bits | FAILED)
    elif not ready and seconds != 0:
        if seconds is None:
            threads.give_up()
        threads.pause(seconds)
    return ready


def _ready_now(interests):
    """What is ready without the server, and what it has to be asked: (number, connection, bits)."""
    ready, asked = {}, []
    for number, bits in interests.items():
        endpoint = endpoints.by_number.get(number)
        if endpoint is None:
            now = bits
        else:
            now = endpoint.ready_now()
            if endpoint.connection is not None and bits & ~(now or 0):
                asked.append((number, endpoint.connection, bits))
        if now is not None and now & (bits | FAILED):
            ready[number] = now & (bits | FAILED)
    return ready, asked


def select(rlist, wlist, xlist, timeout=None):
    lists = [[(file, _number_of(file)) for file in files] for files in (rlist, wlist, xlist)]
    interests = {}
    for files, bit in zip(lists, (READABLE, WRITABLE, FAILED)):
        for _, number in files:
            _check_open(number)
            interests[number] = interests.get(number, 0) | bit
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    ready = _wait(interests, timeout)
    return tuple(
        [file for file, number in files if ready.get(number, 0) & wanted]
        for files, wanted in zip(lists, (READABLE | FAILED, WRITABLE | FAILED, 0))
    )


def _check_open(number):
    if number >= endpoints.FIRST_NUMBER and number not in endpoints.by_number:
        raise OSError(errno.EBADF, "Bad file descriptor")


class poll:
    """`select.poll`."""

    def __init__(self):
        self._interests = {}

    def register(self, fd, eventmask=POLLIN | POLLPRI | POLLOUT):
        self._interests[_number_of(fd)] = eventmask

    def modify(self, fd, eventmask):
        number = _number_of(fd)
        if number not in self._interests:
            raise OSError(errno.ENOENT, "No such file or directory")
        self._interests[number] = eventmask

    def unregister(self, fd):
        del self._interests[_number_of(fd)]

    def poll(self, timeout=None):
        """Milliseconds."""
        gone = [number for number in self._interests if number >= endpoints.FIRST_NUMBER and number not in endpoints.by_number]
        if gone:
            return [(number, POLLNVAL) for number in gone]
        interests = {
            number: (READABLE if mask & (POLLIN | POLLPRI) else 0) | (WRITABLE if mask & POLLOUT else 0)
            for number, mask in self._interests.items()
        }
        ready = _wait(interests, None if timeout is None else timeout / 1000)
        return [(number, self._events(number, bits)) for number, bits in ready.items()]

    def _events(self, number, bits):
        mask = self._interests[number]
        events = (mask & POLLIN if bits & (READABLE | FAILED) else 0) | (mask & POLLOUT if bits & (WRITABLE | FAILED) else 0)
        return events | (POLLERR if bits & FAILED else 0)
