"""Exceptions that left a plugin, as the six values of the WIT record `failure`, with tracebacks that show the plugin's
frames only."""

import errno
import traceback

import _tidemark_host as host

from _tidemark import grants

MESSAGE_CHARACTERS_MAX = 65_536
TRACEBACK_CHARACTERS_MAX = 262_144
_INTERRUPTED_MESSAGE = "the run was stopped"
# The parser's own stack limit raises MemoryError too; memory is as good as before then.
_PARSER_OVERFLOW = "Parser stack overflowed"
_OWN_FILES = "/lib/python313.zip/_tidemark/"


class PluginError(Exception):
    """A sentence of ours about a plugin; it stands without a type name."""


def describe(exception):
    """`{qualname}: {message}`, the reference's form of an exception."""
    return f"{type(exception).__qualname__}: {_message_of(exception)}"


def _message_of(exception):
    try:
        message = str(exception)
    except Exception:
        message = f"<exception str() failed: {type(exception).__qualname__}>"
    return _valid(message, MESSAGE_CHARACTERS_MAX)


def _valid(text, characters_max):
    """Text that UTF-8 can hold, cut to a length."""
    if len(text) > characters_max:
        text = text[:characters_max] + "..."
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_failure(exception, in_entry_point):
    """(type name, message, traceback, out of memory, interrupted, in entry point)"""
    interrupted = isinstance(exception, (host.PluginInterrupted, host.RunCancelled))
    message = _message_of(exception) + _missing_grant(exception)
    if interrupted and not message:
        message = _INTERRUPTED_MESSAGE
    own = isinstance(exception, PluginError)
    return (
        "" if own else _valid(type(exception).__qualname__, 256),
        message,
        "" if own and exception.__cause__ is None else traceback_of(exception.__cause__ if own else exception),
        isinstance(exception, MemoryError) and not message.startswith(_PARSER_OVERFLOW),
        interrupted,
        in_entry_point,
    )


def _missing_grant(exception):
    """Writing where nothing can be written: the host's sentence, when scratch space is what the trigger lacks."""
    if not isinstance(exception, OSError) or exception.errno != errno.EROFS:
        return ""
    try:
        host.check_grant(grants.SCRATCH, "")
    except PermissionError as problem:
        return f"; {_message_of(problem)}"
    return "; only /tmp can be written to"


def traceback_of(exception):
    """Python's report, with the plugin's frames and the library's; empty when there is no memory for it."""
    try:
        report = traceback.TracebackException.from_exception(exception, compact=True)
        _drop_own_frames(report, set())
        return _valid("".join(report.format()), TRACEBACK_CHARACTERS_MAX)
    except Exception:
        return ""


def _drop_own_frames(report, seen):
    """Also in the causes. An exception raised by our own code then ends at the plugin's line that called it."""
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    report.stack = traceback.StackSummary.from_list([frame for frame in report.stack if not _is_own(frame)])
    _drop_own_frames(report.__cause__, seen)
    _drop_own_frames(report.__context__, seen)
    for inner in report.exceptions or ():
        _drop_own_frames(inner, seen)


def _is_own(frame):
    return frame.filename.startswith(_OWN_FILES) or (frame.filename.startswith("<frozen importlib") and "_bootstrap" in frame.filename)
