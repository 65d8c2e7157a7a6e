"""`threading.local` for threads that run one after another on one interpreter thread: a plain object whose attributes are
exchanged whenever another thread runs."""

import weakref
from itertools import count

_tokens = count()
# token -> (weak reference, arguments of __init__)
_known = {}


class local:
    def __new__(cls, /, *args, **kwargs):
        if cls.__init__ is object.__init__ and (args or kwargs):
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        token = next(_tokens)
        _known[token] = (weakref.ref(self, lambda _: _known.pop(token, None)), args, kwargs)
        return self

    def __reduce__(self):
        raise TypeError("cannot pickle '_thread._local' object")


def switch(leaving, entering):
    """`leaving` and `entering`: attributes by token, of the thread that stops and the one that goes on."""
    for token, (reference, args, kwargs) in list(_known.items()):
        thing = reference()
        if thing is None:
            continue
        leaving[token] = thing.__dict__
        attributes = entering.pop(token, None)
        object.__setattr__(thing, "__dict__", {} if attributes is None else attributes)
        if attributes is None and type(thing).__init__ is not object.__init__:
            _initialize(thing, args, kwargs)


def _initialize(thing, args, kwargs):
    try:
        thing.__init__(*args, **kwargs)
    except Exception:
        # As in CPython, where it would be raised by the first use of the object in this thread: here nobody uses it yet.
        object.__setattr__(thing, "__dict__", {})


def restore(entering):
    """After a switch that did not come back."""
    for token, (reference, _, _) in list(_known.items()):
        thing = reference()
        attributes = entering.pop(token, None)
        if thing is not None and attributes is not None:
            object.__setattr__(thing, "__dict__", attributes)
