"""The module `_thread` that `threading` and everything above it is built on, with threads of _tidemark.threads. Installed before
the first of them is imported."""

import sys
import time
import types

import _thread

from _tidemark import failure, thread_local, thread_locks, threads


class _ThreadHandle:
    """What `threading.Thread` knows of a thread that it started."""

    def __init__(self):
        self._job = None
        self._ended = False
        self.ident = None

    def start(self, job):
        if self._job is not None:
            raise RuntimeError("thread already started")
        threads.start(job)
        self._job, self.ident = job, job.strand.ident

    def is_done(self):
        return self._ended or (self._job is not None and self._job.done)

    def join(self, timeout=None):
        if self._job is None and not self._ended:
            raise RuntimeError("thread not started")
        threads.wait_until(self.is_done, None if timeout is None or timeout < 0 else float(timeout))

    def _set_done(self):
        self._ended = True


def _make_thread_handle(ident):
    handle = _ThreadHandle()
    handle.ident = ident
    handle._job = threads.Job(threads.current(), None)
    return handle


def start_joinable_thread(function, handle=None, daemon=True):
    handle = _ThreadHandle() if handle is None else handle
    thread = getattr(function, "__self__", None)
    name = getattr(thread, "name", "_thread")
    job = threads.Job(threads.Strand(threads.new_ident(), name, daemon, True), function)
    threading = sys.modules.get("threading")
    if threading is not None and isinstance(thread, threading.Thread):
        if isinstance(thread, threading.Timer) and type(thread).run is threading.Timer.run:
            job.due = time.monotonic() + thread.interval
        handle.start(job)
        # It counts as started, although its turn is later; `Thread.start` waits for this.
        thread._ident = job.strand.ident
        thread._started.set()
    else:
        handle.start(job)
    return handle


def start_new_thread(function, args, kwargs={}, /):
    def call():
        try:
            function(*args, **kwargs)
        except threads.STOPPED:
            raise
        except SystemExit:
            pass
        except BaseException as problem:
            print(f"Exception in a thread:\n{failure.traceback_of(problem)}", end="", file=sys.stderr, flush=True)

    return start_joinable_thread(call).ident


def _exit():
    raise SystemExit


def _replacements():
    return {
        "lock": thread_locks.lock, "LockType": thread_locks.lock, "allocate_lock": thread_locks.lock, "allocate": thread_locks.lock,
        "RLock": thread_locks.RLock, "_local": thread_local.local, "get_ident": threads.get_ident, "_count": threads.count,
        "_get_main_thread_ident": lambda: threads.MAIN_IDENT, "_ThreadHandle": _ThreadHandle,
        "_make_thread_handle": _make_thread_handle, "start_joinable_thread": start_joinable_thread, "_shutdown": lambda: None,
        "start_new_thread": start_new_thread, "start_new": start_new_thread, "exit": _exit, "exit_thread": _exit,
    }


def install():
    stand_in = types.ModuleType("_thread")
    stand_in.__dict__.update(_thread.__dict__)
    stand_in.__dict__.update(_replacements())
    sys.modules["_thread"] = stand_in
    time.sleep = threads.sleep
    _adapt_threading()
    _adapt_queues()
    _adapt_executor()


def _adapt_threading():
    global _limbo, _active
    import threading

    _limbo, _active = threading._limbo, threading._active
    threading.excepthook = threading.__excepthook__ = _report
    make = threading._make_invoke_excepthook

    def make_invoke_excepthook():
        report = make()

        def invoke_excepthook(thread):
            problem = sys.exception()
            if isinstance(problem, threads.STOPPED):
                raise problem
            if not isinstance(problem, threads.ThreadEnded):
                report(thread)

        return invoke_excepthook

    threading._make_invoke_excepthook = make_invoke_excepthook
    threading.Timer.run = _run_timer
    threading.Timer.cancel = _cancel_timer


def _report(args):
    """`threading.excepthook`, without frames of ours."""
    if args.exc_type is not SystemExit:
        name = threads.get_ident() if args.thread is None else args.thread.name
        print(f"Exception in thread {name}:\n{failure.traceback_of(args.exc_value)}", end="", file=sys.stderr, flush=True)


def _run_timer(timer):
    """Its turn comes when its time has come."""
    if not timer.finished.is_set():
        timer.function(*timer.args, **timer.kwargs)
    timer.finished.set()


def _cancel_timer(timer):
    timer.finished.set()
    if timer._handle._job is not None:
        timer._handle._job.due = 0.0


def _adapt_queues():
    """The queue in C waits where no other thread could run."""
    import queue

    queue.SimpleQueue = queue._PySimpleQueue


def _adapt_executor():
    from concurrent.futures import thread as pools
    from _tidemark import thread_pool

    pools.ThreadPoolExecutor._adjust_thread_count = thread_pool.add_thread


_open = False
# What `threading` knows of the threads that were started, and of those that run.
_limbo = _active = None


def begin():
    """Before a run. One that was stopped while it tidied up is tidied up now."""
    global _open
    if _open:
        settle(True)
    _open = True


def settle(stopped):
    """After a run: nothing of its threads and loops is left for the next one."""
    global _open
    if stopped or threads.is_disturbed():
        _forget_threads()
    if stopped:
        thread_locks.renew()
    threads.tell_settled(stopped)
    _open = False


def _forget_threads():
    threads.reset()
    _limbo.clear()
    for ident in [ident for ident in _active if ident != threads.MAIN_IDENT]:
        del _active[ident]
