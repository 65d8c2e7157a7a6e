"""
{
  "plugin_type": ["http"],
  "http_args_config": [
    {"name": "table", "example": "home", "description": "Table to write, unless the query names one", "required": false},
    {"name": "tags", "example": "room.floor", "description": "Columns that are tags, separated by dots. Default: none", "required": false},
    {"name": "time", "example": "timestamp", "description": "Column with the time. Default: time; without one the time of the request", "required": false},
    {"name": "time_unit", "example": "s", "description": "Unit of times that are numbers: s, ms, us, ns. Default: ns", "required": false},
    {"name": "integers", "example": "hum.count", "description": "Columns that are whole numbers, separated by dots. Default: none", "required": false},
    {"name": "texts", "example": "serial", "description": "Columns that stay text though they look like numbers. Default: none", "required": false}
  ]
}
"""
# Takes CSV with a header, JSON (an object or a list of objects) and JSON lines, and writes them. All or nothing: when a
# row cannot be taken, the answer lists what is wrong and nothing is written.
import csv
import io
import json
from datetime import datetime, timezone

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
ERRORS_SHOWN_MAX = 100
ROWS_MAX = 200_000
DEPTH_MAX = 8
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Mistake(Exception):
    """Something in the request that the caller can correct."""


class Lines:
    """Many lines as one write."""

    def __init__(self, lines):
        self.lines = lines

    def build(self):
        return "\n".join(self.lines)


def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    """The arguments of the trigger, with the query's in their place."""
    try:
        plan = Plan({**(args or {}), **query_parameters})
        rows = read_rows(request_body, query_parameters.get("format", ""), request_headers.get("content-type", ""))
    except Mistake as problem:
        return {"error": str(problem)}, 400

    lines, errors = [], []
    for number, row in rows:
        try:
            line = plan.line(row)
            if line is not None:
                lines.append(line)
        except Mistake as problem:
            errors.append({"row": number, "error": str(problem)})
    if errors:
        answer = {"error": f"{len(errors)} of {len(rows)} rows cannot be taken; nothing was written", "rows": errors[:ERRORS_SHOWN_MAX]}
        return answer, 400
    if not lines:
        return {"error": "there is nothing to write"}, 400
    try:
        influxdb3_local.write_sync(Lines(lines), no_sync=False)
    except Exception as problem:
        influxdb3_local.error(f"ingest into {plan.table}: {problem}")
        return {"error": str(problem)}, 400
    influxdb3_local.info(f"{len(lines)} rows into {plan.table}")
    return {"table": plan.table, "written": len(lines)}


class Plan:
    """What becomes of the columns."""

    def __init__(self, args):
        self.table = args.get("table")
        if not self.table:
            raise Mistake("name a table: ?table=…")
        if " " in self.table:
            raise Mistake("the table's name must not hold blanks")
        self.tags, self.integers, self.texts = ({name for name in args.get(key, "").split(".") if name} for key in ("tags", "integers", "texts"))
        self.time = args.get("time", "time")
        unit = args.get("time_unit", "ns")
        if unit not in UNITS:
            raise Mistake(f"time_unit={unit} is none of {', '.join(UNITS)}")
        self.factor = UNITS[unit]

    def line(self, row):
        """Line protocol of a row; None for a row without anything in it."""
        builder = LineBuilder(self.table)
        for name, value in flattened(row):
            if value is None or value == "":
                continue
            if name == self.time:
                builder.time_ns(self.nanoseconds(value))
            else:
                self.add(builder, name, value)
        if builder.fields:
            return builder.build()
        if builder.tags or builder._timestamp_ns is not None:
            raise Mistake("the row has no field")
        return None

    def add(self, builder, name, value):
        key = name.replace(" ", "_").replace(",", "_").replace("=", "_")
        if not key:
            raise Mistake("a column has no name")
        if name in self.tags:
            if "\n" in str(value):
                raise Mistake(f"the tag {name} holds a line break")
            builder.tag(key, text_of(value))
            return
        value = value if name in self.texts else typed(value)
        if name in self.integers:
            builder.int64_field(key, whole(name, value))
        elif isinstance(value, bool):
            builder.bool_field(key, value)
        elif isinstance(value, (int, float)):
            builder.float64_field(key, finite(name, value))
        else:
            builder.string_field(key, text_of(value))

    def nanoseconds(self, value):
        value = typed(value)
        if isinstance(value, bool):
            raise Mistake(f"the time {value} is no time")
        if isinstance(value, int):
            return value * self.factor
        if isinstance(value, float):
            return round(finite(self.time, value) * self.factor)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Mistake(f"the time '{value}' is neither a number nor like 2026-01-31T12:00:00Z") from None
        span = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)) - EPOCH
        return ((span.days * 86400 + span.seconds) * 1_000_000 + span.microseconds) * 1000


def read_rows(body, form, content_type):
    """[(number, dict)]; rows are counted from 1, as a person does."""
    if not body:
        raise Mistake("the body is empty")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Mistake(f"the body is not UTF-8: {problem}") from None
    form = form or ("csv" if "csv" in content_type else "jsonl" if "jsonl" in content_type or "ndjson" in content_type else "json" if "json" in content_type else guessed(text))
    readers = {"csv": csv_rows, "json": json_rows, "jsonl": jsonl_rows}
    if form not in readers:
        raise Mistake(f"format={form} is none of {', '.join(readers)}")
    rows = list(enumerate(readers[form](text), 1))
    if len(rows) > ROWS_MAX:
        raise Mistake(f"the body has more than {ROWS_MAX} rows; send it in parts")
    return rows


def guessed(text):
    return "json" if text.lstrip()[:1] in ("{", "[") else "csv"


def csv_rows(text):
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    names = reader.fieldnames or []
    if len(set(names)) != len(names):
        raise Mistake(f"the header names a column twice: {', '.join(names)}")
    try:
        for row in reader:
            if None in row:
                raise Mistake(f"line {reader.line_num} has more cells than the header")
            yield row
    except csv.Error as problem:
        raise Mistake(f"line {reader.line_num} is no CSV: {problem}") from None


def json_rows(text):
    try:
        value = json.loads(text)
    except ValueError as problem:
        raise Mistake(f"the body is no JSON: {problem}") from None
    return objects(value if isinstance(value, list) else [value])


def jsonl_rows(text):
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as problem:
                raise Mistake(f"line {number} is no JSON: {problem}") from None
    return objects(rows)


def objects(rows):
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise Mistake(f"row {number} is no object")
    return rows


def flattened(row, prefix="", depth=0):
    """{"a": {"b": 1}} has the column a.b; a list is its JSON."""
    for name, value in row.items():
        if isinstance(value, dict) and depth < DEPTH_MAX:
            yield from flattened(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, json.dumps(value) if isinstance(value, (list, dict)) else value


def typed(value):
    """What a text looks like; JSON's own types stay."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not text or text[-1] not in "0123456789.":
        return value
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return value


def whole(name, value):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Mistake(f"{name}: '{value}' is no whole number")
    if not -(2**63) <= value < 2**63:
        raise Mistake(f"{name}: {value} does not fit into 64 bits")
    return value


def finite(name, value):
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number - number != 0:
        raise Mistake(f"{name}: {value} is no finite number")
    return number


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value)
