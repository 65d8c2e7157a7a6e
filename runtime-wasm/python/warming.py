"""The start that every instance inherits: the standard library's usual modules, and rounds of typical work that let the
host's engine compile the interpreter's hot paths before the memory image is taken."""

import importlib
import struct

import _tidemark_host as host

USUAL_MODULES = (
    "abc bisect base64 collections collections.abc contextlib copy csv dataclasses datetime decimal enum functools hashlib "
    "heapq io itertools json linecache logging math operator os pickle queue random re statistics string struct sys textwrap "
    "threading time traceback types typing tomllib urllib.parse uuid weakref zlib zoneinfo concurrent.futures"
).split()

_ROWS = 64
_PLUGIN = '''
import json, re, math
from collections import defaultdict
from datetime import datetime, timezone

class Window:
    def __init__(self):
        self.values = []
    def add(self, value):
        self.values.append(value)
        return sum(self.values) / len(self.values)

def process_writes(influxdb3_local, table_batches, args=None):
    windows = defaultdict(Window)
    for batch in table_batches:
        for row in batch["rows"]:
            if row.get("value") is None:
                continue
            mean = windows[row["host"]].add(row["value"])
            line = LineBuilder("mean").tag("host", row["host"]).float64_field("value", mean)
            line.int64_field("count", row["count"]).string_field("text", row["text"]).bool_field("ok", row["ok"])
            line.time_ns(row["time"])
            influxdb3_local.write(line)
    text = json.dumps({"hosts": sorted(windows), "pi": round(math.pi, 3)})
    assert json.loads(text)["pi"] == 3.142 and re.search(r"host-(\\d+)", text)
    try:
        datetime.fromtimestamp(1.5, timezone.utc).isoformat().missing
    except AttributeError as problem:
        f"{problem}"
'''


def import_usual_modules():
    for name in USUAL_MODULES:
        importlib.import_module(name)


def _column(kind, name, body):
    padding = lambda data: data + bytes(-len(data) % 8)
    return struct.pack("<BBHI", kind, 0, len(name), len(body)) + padding(name.encode()) + padding(body)


def _sample_batch():
    """A table batch (src/core/columns/table-batch.ts) with every type of column."""
    hosts = [f"host-{index}".encode() for index in range(8)]
    host_ends = [sum(map(len, hosts[:index])) for index in range(len(hosts) + 1)]
    texts = [f"text {index}".encode() for index in range(_ROWS)]
    text_ends = [sum(map(len, texts[:index])) for index in range(_ROWS + 1)]
    columns = [
        _column(5, "host", struct.pack(f"<I{_ROWS}I9I", 8, *[row % 8 for row in range(_ROWS)], *host_ends) + b"".join(hosts)),
        _column(2, "value", struct.pack(f"<{_ROWS}d", *[row * 0.37 for row in range(_ROWS)])),
        _column(1, "count", struct.pack(f"<{_ROWS}q", *range(_ROWS))),
        _column(6, "total", struct.pack(f"<{_ROWS}Q", *range(_ROWS))),
        _column(4, "text", struct.pack(f"<{_ROWS + 1}I", *text_ends) + b"".join(texts)),
        _column(3, "ok", bytes(row % 2 for row in range(_ROWS))),
        _column(7, "time", struct.pack(f"<{_ROWS}q", *range(_ROWS))),
    ]
    body = b"".join(columns)
    return struct.pack("<4sIIIIIqq", b"TMB1", 40 + len(body), _ROWS, len(columns), 0, 0, 0, _ROWS - 1) + body


_COLUMNS = ("host", "value", "count", "total", "text", "ok", "time")
_CALLS_PER_ROUND = 6


def run_round(run):
    """`run` as in entry.py. Raises when an outcome is not the expected one: then the build is broken."""
    batch = _sample_batch()
    for call in range(_CALLS_PER_ROUND):
        rows = host.decode_rows(_COLUMNS, batch, call % 3 == 2)
        code = ("<warm-up>", _PLUGIN, "warm_up", call)
        outcome = run(code, "process_writes", ([{"table_name": "warm", "rows": rows}], None), None)
        if len(outcome) != 2 or outcome[0][0][1].count("\n") != _ROWS - 1:
            raise RuntimeError(f"warm-up failed: {outcome!r}")
