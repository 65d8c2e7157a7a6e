"""Threads of a plugin, one after another on the one stack that there is (docs/plugins.md#threads). Starting a thread queues it.
It runs, to its end, when the code that is running waits for something, sleeps or ends: on top of what waits, which therefore
goes on only afterwards."""

import contextvars
import sys
from collections import deque
from time import monotonic, sleep as pause

import _thread
import _tidemark_host as host

from _tidemark import thread_local

# A daemon thread that never ends must not cost the run: it is ended at its next wait when it has kept another from going
# on for so long.
DAEMON_PATIENCE_SECONDS = 5.0
WAITING_MAX = 65_536
LOOK_SECONDS = 1.0
# After these nothing of the plugin may go on.
STOPPED = (host.PluginInterrupted, host.RunCancelled, MemoryError)
_WHY = "threads run one after another in a plugin (docs/plugins.md#threads)"


class ThreadEnded(SystemExit):
    """Ends a thread that nothing can wake any more, as the end of the process does elsewhere."""


class Strand:
    """One thread of control: who it is, and whom it keeps waiting."""

    __slots__ = ("ident", "name", "daemon", "locals", "may_end", "refused", "below", "can_go_on", "deadline", "held_up_since", "job")

    def __init__(self, ident, name, daemon, may_end):
        self.ident = ident
        self.name = name
        self.daemon = daemon
        self.may_end = may_end
        self.refused = False
        self.locals = {}
        # Of the one below, which waits: for what, and until when at most.
        self.below = None
        self.can_go_on = None
        self.deadline = None
        self.held_up_since = None
        self.job = None

    def holds_up(self):
        """Whether one of those below it could go on by now."""
        if self.below is None:
            return False
        return (self.deadline is not None and monotonic() >= self.deadline) or self.can_go_on() or self.below.holds_up()

    def will_hold_up(self):
        """Whether one of those below it could go on, now or after some time."""
        return self.below is not None and (self.deadline is not None or self.can_go_on() or self.below.will_hold_up())


class Job:
    """A thread that was started. `due`: not before this time of the monotonic clock; `enter`: called right before it runs."""

    __slots__ = ("strand", "function", "due", "starter", "enter", "done", "parked")

    def __init__(self, strand, function, due=0.0):
        self.strand = strand
        self.function = function
        self.due = due
        self.starter = _current
        self.enter = None
        self.done = False
        self.parked = False


MAIN_IDENT = _thread.get_ident()
_main = Strand(MAIN_IDENT, "MainThread", False, False)
_current = _main
_last_ident = MAIN_IDENT
_waiting = deque()
_dropped = False
_leave = []
_other_sources = []
_settlers = []


def current():
    return _current


def get_ident():
    return _current.ident


def new_ident():
    global _last_ident
    _last_ident += 1
    return _last_ident


def count():
    return len(_waiting)


def start(job):
    if len(_waiting) >= WAITING_MAX:
        raise RuntimeError(f"can't start new thread: {WAITING_MAX} are waiting for their turn")
    _waiting.append(job)


def on_switch(leave):
    """`leave()` is called before a thread runs on top of another and gives what to call afterwards."""
    _leave.append(leave)


def add_source(find):
    """`find(urgent)` gives a job that is not in the queue and could run now (urgent: has something to do now), or None."""
    _other_sources.append(find)


def on_settled(settle):
    """`settle(stopped)` is called after every run."""
    _settlers.append(settle)


def tell_settled(stopped):
    for settle in _settlers:
        settle(stopped)


def wait_until(condition, seconds=None, starter=None):
    """Lets threads run (with `starter`: those it started) until the condition holds or the time is over (then False, as for
    locks). What nobody can end is an error, not a wait."""
    deadline = None if seconds is None else monotonic() + seconds
    # One thread gets its turn even if the time is over: else a loop that only looks now and then would never end.
    had_turn = False
    while not condition():
        check_patience()
        if had_turn and deadline is not None and monotonic() >= deadline:
            return False
        had_turn = run_one(condition, deadline, starter)
        if had_turn:
            continue
        now = monotonic()
        if deadline is not None and now >= deadline:
            return False
        until = deadline if starter is not None else next_due(deadline)
        if until is None:
            give_up()
        check_patience(until - now)
        pause(min(until - now, LOOK_SECONDS) if _current.daemon else until - now)
    return True


def run_one(condition, deadline=None, starter=None):
    """One thread whose turn it is, on top of the current one, which waits for `condition` or `deadline`. False: there is none."""
    job = _take_due(starter)
    if job is None and starter is None:
        job = _find_elsewhere(False)
    if job is None:
        return False
    _run(job, condition, deadline)
    return True


def _take_due(starter=None):
    now = monotonic()
    for index, job in enumerate(_waiting):
        if job.due <= now and (starter is None or job.starter is starter):
            del _waiting[index]
            return job
    return None


def _find_elsewhere(urgent):
    for find in _other_sources:
        job = find(urgent)
        if job is not None:
            return job
    return None


def next_due(deadline):
    dues = [job.due for job in _waiting]
    if deadline is not None:
        dues.append(deadline)
    return min(dues, default=None)


def _run(job, condition, deadline):
    global _current
    outer, inner = _current, job.strand
    if job.enter is not None:
        job.enter()
    inner.below, inner.job = outer, job
    inner.can_go_on, inner.deadline, inner.held_up_since = condition, deadline, None
    returns = [leave() for leave in _leave]
    thread_local.switch(outer.locals, inner.locals)
    _current = inner
    job.parked = False
    try:
        contextvars.Context().run(job.function)
    finally:
        _current = outer
        thread_local.switch(inner.locals, outer.locals)
        for come_back in returns:
            come_back()
        inner.below = None
        job.done = not job.parked


def check_patience(seconds=0.0):
    """Called by a thread that is about to wait, for `seconds` if nothing happens: ends a daemon thread whose time is over."""
    strand = _current
    if not strand.daemon or not strand.holds_up():
        return
    now = monotonic()
    if strand.held_up_since is None:
        strand.held_up_since = now
    if now + seconds - strand.held_up_since >= DAEMON_PATIENCE_SECONDS:
        _end(f"would hold up another one for more than {DAEMON_PATIENCE_SECONDS:.0f} s")


def give_up():
    """The current thread waits for what only threads below it, or nobody, could bring."""
    strand = _current
    if strand.may_end and (strand.refused or strand.will_hold_up()):
        _end(None if strand.daemon else "waits for what only a thread that waits for it could bring")
    strand.refused = True
    raise RuntimeError(f"this would wait forever: nothing is left to run that could end the wait; {_WHY}")


def _end(reason):
    if reason is not None:
        print(f'the thread "{_current.name}" was ended, because it {reason}: {_WHY}', file=sys.stderr)
    raise ThreadEnded


def sleep(seconds, /):
    """`time.sleep`: others run meanwhile. On top of another thread only those that the sleeper started, so that calls of one
    executor stay in order."""
    if (_current is _main and not _waiting and not _other_sources) or not seconds >= 0:
        return pause(seconds)
    wait_until(_never, float(seconds), None if _current is _main else _current)


def _never():
    return False


def _always():
    return True


def finish():
    """The turn of every thread that is left. Timers that are daemons and not due are dropped, the others are waited for."""
    global _dropped
    while True:
        job = _take_due() or _find_elsewhere(True)
        if job is not None:
            _run(job, _always, None)
            continue
        if not _waiting:
            return
        for job in [job for job in _waiting if job.strand.daemon]:
            _waiting.remove(job)
            job.done = _dropped = True
        due = next_due(None)
        if due is not None:
            pause(max(0.0, due - monotonic()))


def run(function, *values):
    """Calls the plugin; what it started belongs to its run."""
    try:
        answer = function(*values)
    except STOPPED:
        raise
    except BaseException:
        finish()
        raise
    finish()
    return answer


def is_disturbed():
    """Whether a run ended where its threads had not."""
    return _dropped or _current is not _main or bool(_waiting)


def reset():
    """Forgets every thread but the main one."""
    global _current, _dropped
    _dropped = False
    for job in _waiting:
        job.done = True
    _waiting.clear()
    if _current is not _main:
        thread_local.restore(_main.locals)
    _current = _main
