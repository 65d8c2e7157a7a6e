"""`ThreadPoolExecutor`: every call that was submitted is a thread of its own turn. Calls of one executor share a worker, its name
and its thread-local attributes, unless one submits to the executor that runs it."""

import queue
import threading
from concurrent.futures import _base

from _tidemark import threads

_ENDED_MAX = 64


class _Worker:
    __slots__ = ("name", "locals", "initialized", "busy")

    def __init__(self, name):
        self.name = name
        self.locals = {}
        self.initialized = False
        self.busy = False


def add_thread(executor):
    """In place of ThreadPoolExecutor._adjust_thread_count, after a call was queued."""
    if len(executor._threads) >= _ENDED_MAX:
        executor._threads = {thread for thread in executor._threads if thread.is_alive()}
    thread = threading.Thread(target=_run_call, args=(executor,), name=executor._thread_name_prefix, daemon=False)
    thread.start()
    executor._threads.add(thread)
    job = thread._handle._job
    job.strand.may_end = False
    job.enter = lambda: _take_worker(executor, thread, job.strand)


def _take_worker(executor, thread, strand):
    workers = executor.__dict__.setdefault("_workers", [])
    worker = next((known for known in workers if not known.busy), None)
    if worker is None:
        worker = _Worker(f"{executor._thread_name_prefix}_{len(workers)}")
        workers.append(worker)
    worker.busy = True
    thread.name, thread._worker = worker.name, worker
    strand.locals = worker.locals


def _run_call(executor):
    worker = threading.current_thread()._worker
    try:
        if worker.initialized or _initialize(executor, worker):
            call = _next_call(executor)
            if call is not None:
                call.run()
    finally:
        worker.busy = False


def _initialize(executor, worker):
    """As in the standard library's `_worker`; a failure breaks the executor and all its calls."""
    worker.initialized = True
    if executor._initializer is None:
        return True
    try:
        executor._initializer(*executor._initargs)
        return True
    except threads.STOPPED:
        raise
    except BaseException:
        _base.LOGGER.critical("Exception in initializer:", exc_info=True)
        executor._initializer_failed()
        return False


def _next_call(executor):
    """None: there is none, it was taken away. A None in the queue stands for the end of the executor."""
    try:
        call = executor._work_queue.get_nowait()
        return executor._work_queue.get_nowait() if call is None else call
    except queue.Empty:
        return None
