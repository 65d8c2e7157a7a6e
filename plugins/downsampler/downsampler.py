"""
{
  "plugin_type": ["scheduled", "http"],
  "scheduled_args_config": [
    {"name": "source", "example": "home", "description": "Table to read", "required": true},
    {"name": "target", "example": "home_10m", "description": "Table to write", "required": true},
    {"name": "interval", "example": "10m", "description": "Length of a bucket. Default: 10m", "required": false},
    {"name": "window", "example": "1h", "description": "How far back every call goes. Default: one interval", "required": false},
    {"name": "delay", "example": "30s", "description": "How long to wait for late rows. Default: 0s", "required": false},
    {"name": "calculations", "example": "temp:avg.max;hum:last", "description": "Functions of each field. Default: avg of every number", "required": false},
    {"name": "group_by", "example": "room", "description": "Tags to keep, separated by dots, or none. Default: all", "required": false},
    {"name": "target_database", "example": "archive", "description": "Database to write to. Default: the trigger's own", "required": false}
  ]
}
"""
# Rows of one table, put together in buckets of time, into another table. On a schedule it takes the buckets that ended since
# the call before; as a request trigger it does the same for any range (?start=…&end=…). A bucket that is computed again
# replaces itself, since it has the same tags and time.
import re
from datetime import datetime, timedelta, timezone

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FUNCTIONS = {
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "sum": "sum({})",
    "count": "count({})",
    "median": "median({})",
    "stddev": "stddev({})",
    "first": "first_value({0} ORDER BY time) FILTER (WHERE {0} IS NOT NULL)",
    "last": "last_value({0} ORDER BY time) FILTER (WHERE {0} IS NOT NULL)",
}
FLOATS = ("avg", "median", "stddev")
NUMBERS = ("Int64", "UInt64", "Float64")
BUCKETS_MAX = 100_000


class Mistake(Exception):
    """Something in the arguments that the user can correct."""


def process_scheduled_call(influxdb3_local, call_time, args=None):
    try:
        plan = Plan(influxdb3_local, args)
        end = int(call_time.replace(tzinfo=timezone.utc).timestamp()) - plan.delay
        end -= end % plan.interval
        written = plan.run(influxdb3_local, end - plan.window, end)
    except Mistake as problem:
        influxdb3_local.error(f"downsampler: {problem}")
        return
    influxdb3_local.info(f"downsampled {plan.source} to {plan.target}: {written} rows")


def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    """The arguments of the trigger, with the query's in their place."""
    try:
        plan = Plan(influxdb3_local, {**(args or {}), **query_parameters})
        start, end = (moment(query_parameters, name) for name in ("start", "end"))
        start -= start % plan.interval
        end += -end % plan.interval
        if (end - start) // plan.interval > BUCKETS_MAX:
            raise Mistake(f"the range has more than {BUCKETS_MAX} buckets")
        written = plan.run(influxdb3_local, start, end)
    except Mistake as problem:
        return {"error": str(problem)}, 400
    return {"source": plan.source, "target": plan.target, "rows": written, "start": iso(start), "end": iso(end)}


class Plan:
    """The arguments, checked against the table's columns."""

    def __init__(self, local, args):
        args = args or {}
        self.source, self.target = (needed(args, name) for name in ("source", "target"))
        if self.source == self.target:
            raise Mistake("source and target are the same table")
        self.interval = seconds(args, "interval", "10m")
        self.window = seconds(args, "window", f"{self.interval}s")
        self.delay = seconds(args, "delay", "0s")
        if self.interval == 0:
            raise Mistake("interval must not be 0")
        if self.window % self.interval:
            raise Mistake(f"window ({self.window}s) is no multiple of interval ({self.interval}s)")
        self.database = args.get("target_database")
        types = columns(local, self.source)
        self.tags = grouping(args, [name for name, kind in types.items() if kind.startswith("Dictionary")])
        self.outputs = calculations(args, types)

    def run(self, local, start, end):
        """The number of rows written for the buckets of [start, end), in seconds."""
        rows = local.query(self.statement(), {"start": iso(start), "end": iso(end)})
        for row in rows:
            line = LineBuilder(self.target)
            for name in self.tags:
                if row[name] is not None:
                    line.tag(name, row[name])
            for output in self.outputs:
                output.add_to(line, row[output.name])
            if not line.fields:
                continue
            line.time_ns(row["bucket"])
            if self.database is None:
                local.write(line)
            else:
                local.write_to_db(self.database, line)
        return len(rows)

    def statement(self):
        keys = [f"date_bin(INTERVAL '{self.interval} seconds', time) AS bucket"] + [quoted(name) for name in self.tags]
        values = [f"{output.sql} AS {quoted(output.name)}" for output in self.outputs]
        numbers = ", ".join(str(index + 1) for index in range(len(keys)))
        return (
            f"SELECT {', '.join(keys + values)} FROM {quoted(self.source)} "
            f"WHERE time >= $start AND time < $end GROUP BY {numbers} ORDER BY 1"
        )


class Output:
    def __init__(self, field, function, name, kind):
        self.sql = FUNCTIONS[function].format(quoted(field))
        self.name = name
        self.kind = "Float64" if function in FLOATS else "Int64" if function == "count" else kind

    def add_to(self, line, value):
        if value is None:
            return
        adders = {"Int64": line.int64_field, "UInt64": line.uint64_field, "Float64": line.float64_field, "Boolean": line.bool_field}
        adders.get(self.kind, line.string_field)(self.name, value)


def columns(local, table):
    rows = local.query("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $table", {"table": table})
    if not rows:
        raise Mistake(f"there is no table '{table}'")
    return {row["column_name"]: row["data_type"] for row in rows}


def grouping(args, tags):
    text = args.get("group_by")
    if text is None:
        return tags
    names = [] if text == "none" else text.split(".")
    for name in names:
        if name not in tags:
            raise Mistake(f"group_by names '{name}', which is no tag; there are {', '.join(tags) or 'none'}")
    return names


def calculations(args, types):
    fields = {name: kind for name, kind in types.items() if name != "time" and not kind.startswith("Dictionary")}
    text = args.get("calculations")
    wanted = {name: ["avg"] for name, kind in fields.items() if kind in NUMBERS} if text is None else {}
    for item in [] if text is None else text.split(";"):
        field, _, functions = item.strip().partition(":")
        wanted[field] = functions.split(".")
    outputs = []
    for field, functions in wanted.items():
        if field not in fields:
            raise Mistake(f"calculations names '{field}', which is no field; there are {', '.join(fields)}")
        for function in functions:
            outputs.append(Output(field, function, field if len(functions) == 1 else f"{field}_{function}", checked(function, field, fields[field])))
    if not outputs:
        raise Mistake("the table has no numbers; name fields and functions in calculations")
    return outputs


def checked(function, field, kind):
    if function not in FUNCTIONS:
        raise Mistake(f"there is no function '{function}'; there are {', '.join(FUNCTIONS)}")
    if function not in ("count", "first", "last", "min", "max") and kind not in NUMBERS:
        raise Mistake(f"'{field}' is no number, so it has no {function}")
    return kind


def needed(args, name):
    value = args.get(name)
    if not value:
        raise Mistake(f"the argument {name} is missing")
    return value


def seconds(args, name, default):
    text = args.get(name, default)
    match = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.strip())
    if match is None:
        raise Mistake(f"{name}={text} is no duration; write 30s, 10m, 2h, 1d or 1w")
    return int(match[1]) * UNITS[match[2]]


def moment(parameters, name):
    text = needed(parameters, name)
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake(f"{name}={text} is no time; write 2026-01-31T12:00:00Z") from None
    return int((value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp())


def iso(second):
    return (datetime(1970, 1, 1) + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'
