"""
{
  "plugin_type": ["onwrite"],
  "onwrite_args_config": [
    {"name": "field", "example": "temp", "description": "Field to watch", "required": true},
    {"name": "above", "example": "30", "description": "Alert above this value", "required": false},
    {"name": "below", "example": "5", "description": "Alert below this value", "required": false},
    {"name": "table", "example": "home", "description": "Table to watch. Default: every table of the trigger", "required": false},
    {"name": "group_by", "example": "room", "description": "Columns that tell series apart, separated by dots. Default: none", "required": false},
    {"name": "count", "example": "3", "description": "Rows in a row beyond the limit that make an alert. Default: 1", "required": false},
    {"name": "cooldown", "example": "300", "description": "Seconds before a series that is still beyond is told again; 0: never. Default: 0", "required": false},
    {"name": "alert_table", "example": "alerts", "description": "Table for alerts. Default: alerts", "required": false},
    {"name": "webhook_url", "example": "https://example.org/hook", "description": "Where alerts are posted as JSON", "required": false},
    {"name": "webhook_token", "example": "secret", "description": "Sent as Authorization: Bearer", "required": false}
  ]
}
"""
# Watches a field and tells when it goes beyond a limit and when it comes back: a row in a table, and a POST of JSON. What
# is known of each series lives in the private cache. A webhook that fails is logged; the row is written all the same.
import json
import time
import urllib.error
import urllib.request

WEBHOOK_SECONDS_MAX = 5
WEBHOOKS_PER_CALL_MAX = 20


class Mistake(Exception):
    """Something in the arguments that the user can correct."""


class Series:
    """One watched series."""

    def __init__(self):
        self.beyond = 0
        self.alerting = False
        self.told_at = 0.0


def process_writes(influxdb3_local, table_batches, args=None):
    try:
        watch = Watch(args)
    except Mistake as problem:
        influxdb3_local.error(f"threshold_alert: {problem}")
        return
    known = influxdb3_local.cache.get("series")
    if known is None:
        known = {}
        influxdb3_local.cache.put("series", known)
    events = []
    for batch in table_batches:
        if batch["table_name"] != watch.alert_table and watch.table in (None, batch["table_name"]):
            for row in batch["rows"]:
                event = watch.look_at(batch["table_name"], row, known)
                if event is not None:
                    events.append(event)
    for event in events:
        tell(influxdb3_local, watch, event)
    post_all(influxdb3_local, watch, events)


class Watch:
    def __init__(self, args):
        args = args or {}
        self.field = args.get("field")
        if not self.field:
            raise Mistake("the argument field is missing")
        self.above, self.below = (number(args, name, None) for name in ("above", "below"))
        if self.above is None and self.below is None:
            raise Mistake("give above, below or both")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise Mistake(f"below ({self.below:g}) must be less than above ({self.above:g}): no value would be well")
        self.table = args.get("table")
        self.group_by = [name for name in args.get("group_by", "").split(".") if name]
        self.count = int(number(args, "count", 1))
        self.cooldown = number(args, "cooldown", 0)
        if self.count < 1 or self.cooldown < 0:
            raise Mistake("count must be at least 1 and cooldown not negative")
        self.alert_table = args.get("alert_table", "alerts")
        self.url = args.get("webhook_url")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise Mistake(f"webhook_url={self.url} begins with neither http:// nor https://")
        self.token = args.get("webhook_token")

    def look_at(self, table, row, known):
        """What is to be told of a row, or None."""
        value = row.get(self.field)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        tags = {name: row.get(name) for name in self.group_by}
        series = known.setdefault((table, *tags.values()), Series())
        limit = self.broken_limit(value)
        series.beyond = 0 if limit is None else series.beyond + 1
        if limit is None:
            if not series.alerting:
                return None
            series.alerting = False
            return self.event("ok", table, tags, value, None, row)
        now = time.monotonic()
        again = series.alerting and self.cooldown > 0 and now - series.told_at >= self.cooldown
        if series.beyond < self.count or (series.alerting and not again):
            return None
        series.alerting = True
        series.told_at = now
        return self.event("alert", table, tags, value, limit, row)

    def broken_limit(self, value):
        if self.above is not None and value > self.above:
            return "above", self.above
        if self.below is not None and value < self.below:
            return "below", self.below
        return None

    def event(self, state, table, tags, value, limit, row):
        name = ", ".join(f"{key}={text}" for key, text in tags.items())
        what = f"{table}.{self.field}{f' of {name}' if name else ''} is {value:g}"
        message = f"{what}, which is {limit[0]} {limit[1]:g}" if limit else f"{what}, which is well again"
        return {"state": state, "table": table, "field": self.field, "tags": tags, "value": value, "time": row["time"], "message": message}


def tell(local, watch, event):
    (local.warn if event["state"] == "alert" else local.info)(event["message"])
    line = LineBuilder(watch.alert_table).tag("state", event["state"]).tag("source_table", event["table"]).tag("source_field", event["field"])
    for name, value in event["tags"].items():
        if value not in (None, ""):
            line.tag(name, value)
    line.float64_field("value", float(event["value"])).string_field("message", event["message"]).time_ns(event["time"])
    local.write(line)


def post_all(local, watch, events):
    if watch.url is None:
        return
    for event in events[:WEBHOOKS_PER_CALL_MAX]:
        problem = post(watch, event)
        if problem is not None:
            local.error(f"the webhook {watch.url} was not reached: {problem}; the alert stands in the table {watch.alert_table}")
            return
    if len(events) > WEBHOOKS_PER_CALL_MAX:
        local.warn(f"{len(events) - WEBHOOKS_PER_CALL_MAX} more alerts of this call were not posted; they stand in the table {watch.alert_table}")


def post(watch, event):
    """Why the webhook was not told, or None."""
    headers = {"Content-Type": "application/json"}
    if watch.token is not None:
        headers["Authorization"] = f"Bearer {watch.token}"
    request = urllib.request.Request(watch.url, json.dumps(event).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS_MAX):
            return None
    except urllib.error.HTTPError as problem:
        return f"it answered {problem.code} {problem.reason}"
    except urllib.error.URLError as problem:
        return str(problem.reason)
    except OSError as problem:
        return str(problem)


def number(args, name, default):
    text = args.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise Mistake(f"{name}={text} is no number") from None
