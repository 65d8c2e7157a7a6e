"""What a value of the private cache takes: an estimate that costs little however large the value is. It serves a limit that
plugins can see; the memory of the instance is the bound that holds."""

import sys

_OBJECTS_MAX = 2_000
_ITEMS_MAX = 64
_OTHER_BYTES = 64
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes, bytearray, dict, list, tuple, set, frozenset))
_CONTAINERS = frozenset((dict, list, tuple, set, frozenset))


def size_of(value):
    """Bytes of plain data with what it holds; a long container is judged by its first items. Runs no code of a plugin."""
    total = 0.0
    seen = set()
    waiting = [(value, 1.0)]
    while waiting and len(seen) < _OBJECTS_MAX:
        item, weight = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        kind = type(item)
        total += weight * (sys.getsizeof(item) if kind in _PLAIN else _OTHER_BYTES)
        if kind in _CONTAINERS and item:
            share = weight * max(1.0, len(item) / _ITEMS_MAX)
            waiting.extend([(inner, share) for inner in _first_items(item, kind)])
    return int(total)


def _first_items(container, kind):
    items = []
    for item in container:
        items.append(item)
        if kind is dict:
            items.append(container[item])
        if len(items) >= _ITEMS_MAX * 2 or kind is not dict and len(items) >= _ITEMS_MAX:
            break
    return items
