"""What guest.c calls. The three runs answer (buffered writes, response or None) or the six parts of a failure; they let no
exception of a plugin out."""

import gc
import sys
from datetime import datetime, timedelta

from _tidemark import cache, cache_exchange, environment, line_builder, loader, local_api, network, response, resuming, thread_module
from _tidemark import threads, warming
from _tidemark.failure import to_failure
from _tidemark.response import to_response

_EPOCH = datetime(1970, 1, 1)


def boot():
    sys.stdout.reconfigure(line_buffering=True)
    thread_module.install()
    line_builder.install()
    network.install()
    environment.install()
    warming.import_usual_modules()
    _settle()


def warm_up():
    """One short round of typical runs; leaves nothing behind."""
    warming.run_round(_run)
    _settle()


def _settle():
    """Objects of the image are never garbage: keep the collector from walking them in every instance."""
    gc.collect()
    gc.freeze()


def resume(variables, write_bytes, response_bytes, cache_bytes):
    resuming.reseed()
    environment.grant(variables)
    local_api.limit(write_bytes)
    response.limit(response_bytes)
    cache.resume(cache_bytes)


def process_writes(file_name, source, module, revision, arguments, tables):
    return _run((file_name, source, module, revision), "process_writes", (tables, arguments), None)


def process_scheduled_call(file_name, source, module, revision, arguments, call_time_seconds):
    try:
        call_time = _EPOCH + timedelta(seconds=call_time_seconds)
    except OverflowError as problem:
        return to_failure(problem, False)
    return _run((file_name, source, module, revision), "process_scheduled_call", (call_time, arguments), None)


def process_request(file_name, source, module, revision, arguments, query, headers, body):
    return _run((file_name, source, module, revision), "process_request", (query, headers, body, arguments), to_response)


def _run(code, function_name, values, convert):
    in_entry_point = stopped = False
    local_api.discard_writes()
    try:
        thread_module.begin()
        line_builder.install()
        function = loader.load_function(*code, function_name)
        in_entry_point = True
        answer = threads.run(function, local_api.LOCAL_API, *values)
        in_entry_point = False
        converted = None if convert is None else threads.run(convert, answer)
        return local_api.take_writes(), converted
    except BaseException as problem:
        stopped = isinstance(problem, threads.STOPPED)
        local_api.discard_writes()
        return to_failure(problem, in_entry_point)
    finally:
        thread_module.settle(stopped)
        _flush_output()


def _flush_output():
    """What a plugin printed without a line end belongs to its run."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass


def cache_size():
    return cache.size()


def cache_clear():
    cache.clear()


def cache_merge(changes):
    cache_exchange.merge(changes)


def cache_changes():
    return cache_exchange.changes()
