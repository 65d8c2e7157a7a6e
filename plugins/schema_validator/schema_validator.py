"""
{
  "plugin_type": ["onwrite"],
  "onwrite_args_config": [
    {"name": "table", "example": "home", "description": "Table to check. Default: every table of the trigger", "required": false},
    {"name": "required", "example": "room.temp", "description": "Columns that every row must have, separated by dots", "required": false},
    {"name": "types", "example": "temp:float;hum:int", "description": "Types of columns: text, int, float, number, bool", "required": false},
    {"name": "ranges", "example": "temp:-40..60;hum:0..", "description": "Least and greatest values", "required": false},
    {"name": "allowed", "example": "room:kitchen|bath", "description": "Values that a column may have", "required": false},
    {"name": "patterns", "example": "room:[a-z]+", "description": "Regular expressions that a text must match as a whole", "required": false},
    {"name": "known_only", "example": "true", "description": "Refuse rows with columns that no rule names. Default: false", "required": false},
    {"name": "target_table", "example": "home_valid", "description": "Table that gets a copy of every valid row", "required": false},
    {"name": "violations_table", "example": "schema_violations", "description": "Table for what is wrong. Default: schema_violations", "required": false}
  ]
}
"""
# Checks rows against rules after they were written. What is wrong goes to a table, a row for each rule that is broken; rows
# that keep every rule can be copied to another table, which then holds nothing else.
import re

TYPES = {
    "text": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
}
TEXT_SHOWN_MAX = 200
COLUMNS_KEPT_SECONDS = 60


class Mistake(Exception):
    """Something in the arguments that the user can correct."""


def process_writes(influxdb3_local, table_batches, args=None):
    try:
        rules = Rules(args or {})
    except Mistake as problem:
        influxdb3_local.error(f"schema_validator: {problem}")
        return
    for batch in table_batches:
        table = batch["table_name"]
        if table in rules.own_tables or rules.table not in (None, table):
            continue
        counts = {}
        valid = 0
        copier = None if rules.target is None else Copier(influxdb3_local, table, rules.target)
        for row in batch["rows"]:
            broken = rules.broken_by(row)
            for rule, column, text in broken:
                counts[rule] = counts.get(rule, 0) + 1
                influxdb3_local.write(violation(rules, table, row, (rule, column, text)))
            if not broken:
                valid += 1
                if copier is not None:
                    copier.copy(row)
        if counts:
            told = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
            influxdb3_local.warn(f"{table}: {len(batch['rows']) - valid} of {len(batch['rows'])} rows break rules ({told})")


class Rules:
    def __init__(self, args):
        self.table = args.get("table")
        self.target = args.get("target_table")
        self.violations = args.get("violations_table", "schema_violations")
        self.own_tables = {self.violations, self.target}
        if self.table is not None and self.table in self.own_tables:
            raise Mistake(f"the table {self.table} would be checked and written to")
        if self.target is not None and self.table is None:
            raise Mistake("target_table needs table: rows of different tables do not belong in one")
        self.required = [name for name in args.get("required", "").split(".") if name]
        self.types = {column: known_type(column, name) for column, name in pairs(args, "types")}
        self.ranges = {column: limits(column, text) for column, text in pairs(args, "ranges")}
        self.allowed = {column: text.split("|") for column, text in pairs(args, "allowed")}
        self.patterns = {column: pattern(column, text) for column, text in pairs(args, "patterns")}
        self.known = {"time", *self.required, *self.types, *self.ranges, *self.allowed, *self.patterns}
        self.known_only = args.get("known_only", "false").lower() == "true"
        if self.known == {"time"}:
            raise Mistake("there are no rules: give required, types, ranges, allowed or patterns")

    def broken_by(self, row):
        """(rule, column, what is wrong) of each rule that the row breaks."""
        broken = [("required", name, "it is missing") for name in self.required if row.get(name) is None]
        for column, (name, test) in self.types.items():
            value = row.get(column)
            if value is not None and not test(value):
                broken.append(("types", column, f"{shown(value)} is not {name}"))
        for column, (least, greatest) in self.ranges.items():
            value = row.get(column)
            if TYPES["number"](value) and not least <= value <= greatest:
                broken.append(("ranges", column, f"{shown(value)} is not in {least:g}..{greatest:g}"))
        for column, values in self.allowed.items():
            value = row.get(column)
            if value is not None and str(value) not in values:
                broken.append(("allowed", column, f"{shown(value)} is none of {', '.join(values)}"))
        for column, expression in self.patterns.items():
            value = row.get(column)
            if value is not None and expression.fullmatch(str(value)) is None:
                broken.append(("patterns", column, f"{shown(value)} does not match {expression.pattern}"))
        if self.known_only:
            unknown = [name for name, value in row.items() if value is not None and name not in self.known]
            broken += [("known_only", name, "no rule names it") for name in unknown]
        return broken


class Copier:
    """Copies rows with tags as tags and fields in their types, which rows do not tell."""

    def __init__(self, local, table, target):
        self.local = local
        self.target = target
        types = local.cache.get(f"columns of {table}")
        if types is None:
            rows = local.query("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $table", {"table": table})
            types = {row["column_name"]: row["data_type"] for row in rows}
            local.cache.put(f"columns of {table}", types, COLUMNS_KEPT_SECONDS)
        self.types = types

    def copy(self, row):
        line = LineBuilder(self.target)
        adders = {"Int64": line.int64_field, "UInt64": line.uint64_field, "Float64": line.float64_field, "Boolean": line.bool_field}
        for name, value in row.items():
            if value is None or name == "time":
                continue
            kind = self.types.get(name, "")
            if kind.startswith("Dictionary"):
                line.tag(name, value)
            else:
                adders.get(kind, line.string_field)(name, value)
        self.local.write(line.time_ns(row["time"]))


def violation(rules, table, row, broken):
    rule, column, text = broken
    line = LineBuilder(rules.violations).tag("source_table", table).tag("rule", rule).tag("column", column)
    return line.string_field("message", f"{column}: {text}").string_field("row", shown(row)).time_ns(row["time"])


def shown(value):
    text = repr({name: item for name, item in value.items() if item is not None}) if isinstance(value, dict) else repr(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= TEXT_SHOWN_MAX else text[:TEXT_SHOWN_MAX] + "..."


def pairs(args, name):
    """`column:text;column:text`."""
    for item in args.get(name, "").split(";"):
        column, colon, text = item.strip().partition(":")
        if item.strip() and not (column and colon and text):
            raise Mistake(f"{name}: '{item}' is not column:value")
        if item.strip():
            yield column, text


def known_type(column, name):
    if name not in TYPES:
        raise Mistake(f"types: {column} has the type '{name}'; there are {', '.join(TYPES)}")
    return name, TYPES[name]


def limits(column, text):
    least, dots, greatest = text.partition("..")
    try:
        low, high = float(least or "-inf"), float(greatest or "inf")
    except ValueError:
        low, high, dots = 1.0, 0.0, ""
    if not dots or low > high:
        raise Mistake(f"ranges: '{text}' of {column} is no range; write 0..100, 0.. or ..100")
    return low, high


def pattern(column, text):
    try:
        return re.compile(text)
    except re.error as problem:
        raise Mistake(f"patterns: '{text}' of {column} is no regular expression: {problem}") from None
