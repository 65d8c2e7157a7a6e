"""The standard library's event loop among threads that run one after another (docs/plugins.md#asyncio); the last line of
`asyncio.unix_events`, as make_stdlib.py packs it, imports this module. Nothing wakes a loop while it waits, so it has no pipe to
itself; before it waits, other threads have their turn. A loop that a thread runs with `run_forever` gives the stack back whenever
it is idle, and goes on when there is something for it."""

import sys
import threading
import weakref
from asyncio import events, tasks, unix_events
from functools import partial
from time import monotonic

from _tidemark import threads

PARKED_MAX = 16

_run_once = unix_events._UnixSelectorEventLoop._run_once
_run_until_complete = unix_events._UnixSelectorEventLoop.run_until_complete
# Loops whose thread gave the stack back, with the job that runs them on.
_parked = weakref.WeakKeyDictionary()
_running = weakref.WeakSet()


def _do_nothing(loop):
    pass


def _refuse_signals(loop, *_):
    raise NotImplementedError("there are no signals in a plugin")


def _note_run_until_complete(loop, future):
    outer = getattr(loop, "_awaits_end", False)
    loop._awaits_end = True
    try:
        return _run_until_complete(loop, future)
    finally:
        loop._awaits_end = outer


def _run_once_among_threads(loop):
    _running.add(loop)
    ready = lambda: bool(loop._ready) or loop._stopping
    alarm = None
    if not ready():
        while threads.run_one(ready, _deadline(loop)) and not ready():
            pass
        if not ready():
            alarm = _rest(loop, ready)
    try:
        _run_once(loop)
    finally:
        if alarm is not None:
            alarm.cancel()


def _deadline(loop):
    return loop._scheduled[0]._when if loop._scheduled else None


def _rest(loop, ready):
    """The loop has nothing to do now. A handle that ends the wait when the thread below wants to go on, or None."""
    strand = threads.current()
    threads.check_patience()
    idle = not loop._scheduled and not loop._selector.get_map()
    if strand.below is not None and not getattr(loop, "_awaits_end", False) and (idle or strand.holds_up()):
        _park(loop)
    if idle:
        threads.wait_until(ready)
        return None
    if strand.below is None or not (strand.daemon or strand.deadline is not None):
        return None
    seconds = threads.LOOK_SECONDS if strand.deadline is None else max(0.0, strand.deadline - monotonic())
    return loop.call_later(min(seconds, threads.LOOK_SECONDS), _do_nothing, loop)


def _park(loop):
    job = threads.current().job
    while len(_parked) >= PARKED_MAX:
        _parked.popitem()
    _parked[loop] = (job, threading.current_thread())
    job.parked = True
    raise threads.ThreadEnded


def _find_parked(urgent):
    for loop, (job, thread) in list(_parked.items()):
        if loop.is_closed():
            del _parked[loop]
            job.done = True
        elif loop._ready or loop._stopping or (not urgent and (loop._scheduled or loop._selector.get_map())):
            del _parked[loop]
            job.function = partial(_go_on, weakref.ref(loop), thread)
            return job
    return None


def _go_on(reference, thread):
    threading._active[thread.ident] = thread
    try:
        reference().run_forever()
    except BaseException:
        thread._invoke_excepthook(thread)
    finally:
        threading._active.pop(thread.ident, None)


def _leave():
    """A thread is about to run on top of another one, which may be in a running loop."""
    loop, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
    events._set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)

    def come_back():
        events._set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)

    return come_back


def _settle(stopped):
    """After a run: the next one finds no current loop, and after a stop none that counts as running."""
    events._event_loop_policy = None
    if not stopped:
        return
    events._set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)
    tasks._current_tasks.clear()
    for loop in list(_running):
        loop._thread_id, loop._stopping, loop._awaits_end = None, False, False
    _running.clear()


def _install():
    loop_type = unix_events._UnixSelectorEventLoop
    loop_type._run_once = _run_once_among_threads
    loop_type.run_until_complete = _note_run_until_complete
    loop_type._make_self_pipe = loop_type._close_self_pipe = loop_type._write_to_self = _do_nothing
    loop_type.add_signal_handler = loop_type.remove_signal_handler = _refuse_signals
    threads.on_switch(_leave)
    threads.add_source(_find_parked)
    threads.on_settled(_settle)


_install()
