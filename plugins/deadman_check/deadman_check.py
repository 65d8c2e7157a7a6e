"""
{
  "plugin_type": ["scheduled"],
  "scheduled_args_config": [
    {"name": "table", "example": "home", "description": "Table to watch", "required": true},
    {"name": "timeout", "example": "5m", "description": "Silence that makes a series dead. Default: 5m", "required": false},
    {"name": "group_by", "example": "room", "description": "Tags that tell series apart, separated by dots. Default: the table as a whole", "required": false},
    {"name": "lookback", "example": "1d", "description": "How far back series are looked for. Default: 1d", "required": false},
    {"name": "alert_table", "example": "deadman", "description": "Table for changes. Default: deadman", "required": false},
    {"name": "webhook_url", "example": "https://example.org/hook", "description": "Where changes are posted as JSON", "required": false}
  ]
}
"""
# Tells when a series stops writing and when it writes again. Which series are dead is remembered in the private cache, so
# each change is told once; after a restart a series that is dead is told once more.
import json
import re
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
NS = 1_000_000_000
WEBHOOK_SECONDS_MAX = 5


class Mistake(Exception):
    """Something in the arguments that the user can correct."""


def process_scheduled_call(influxdb3_local, call_time, args=None):
    try:
        check = Check(influxdb3_local, args)
        seen = check.last_rows(influxdb3_local, call_time)
    except Mistake as problem:
        influxdb3_local.error(f"deadman_check: {problem}")
        return
    now_ns = int(call_time.replace(tzinfo=timezone.utc).timestamp()) * NS
    dead = influxdb3_local.cache.get("dead")
    if dead is None:
        dead = {}
        influxdb3_local.cache.put("dead", dead)
    changes = check.changes(seen, dead, now_ns)
    for change in changes:
        tell(influxdb3_local, check, change, now_ns)
    post(influxdb3_local, check, changes)
    influxdb3_local.info(f"{check.table}: {len(seen)} series, {len(dead)} silent for more than {check.timeout_text}")


class Check:
    def __init__(self, local, args):
        args = args or {}
        self.table = args.get("table")
        if not self.table:
            raise Mistake("the argument table is missing")
        self.timeout_text = args.get("timeout", "5m")
        self.timeout = seconds("timeout", self.timeout_text)
        self.lookback = seconds("lookback", args.get("lookback", "1d"))
        if self.timeout == 0 or self.lookback <= self.timeout:
            raise Mistake("timeout must not be 0, and lookback longer than timeout")
        self.tags = [name for name in args.get("group_by", "").split(".") if name]
        self.alert_table = args.get("alert_table", "deadman")
        self.url = args.get("webhook_url")
        self.check_tags(local)

    def check_tags(self, local):
        rows = local.query("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $table", {"table": self.table})
        if not rows:
            raise Mistake(f"there is no table '{self.table}' yet")
        known = [row["column_name"] for row in rows if row["data_type"].startswith("Dictionary")]
        for name in self.tags:
            if name not in known:
                raise Mistake(f"group_by names '{name}', which is no tag; there are {', '.join(known) or 'none'}")

    def last_rows(self, local, call_time):
        """Nanoseconds of the last row of each series that wrote within the look-back."""
        columns = ", ".join([quoted(name) for name in self.tags] + ["max(time) AS last"])
        group = f" GROUP BY {', '.join(quoted(name) for name in self.tags)}" if self.tags else ""
        since = (call_time - timedelta(seconds=self.lookback)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = local.query(f"SELECT {columns} FROM {quoted(self.table)} WHERE time > $since{group}", {"since": since})
        found = {tuple(row[name] for name in self.tags): row["last"] for row in rows if row["last"] is not None}
        # The table as a whole has one series, also when it wrote nothing for so long.
        return found or ({} if self.tags else {(): None})

    def changes(self, seen, dead, now_ns):
        """Series that fell silent or came back; `dead` is brought up to date."""
        found = []
        for key in [key for key in dead if key not in seen]:
            del dead[key]
        for key, last in seen.items():
            silent = last is None or now_ns - last > self.timeout * NS
            if silent and key not in dead:
                dead[key] = last
                found.append(("dead", key, last))
            elif not silent and key in dead:
                del dead[key]
                found.append(("alive", key, last))
        return found


def tell(local, check, change, now_ns):
    state, key, last = change
    message = sentence(check, change, now_ns)
    (local.warn if state == "dead" else local.info)(message)
    line = LineBuilder(check.alert_table).tag("state", state).tag("source_table", check.table)
    for name, value in zip(check.tags, key):
        if value is not None:
            line.tag(name, value)
    line.string_field("message", message)
    if last is not None:
        line.float64_field("silent_seconds", max(0, now_ns - last) / NS).int64_field("last_time", last)
    local.write(line.time_ns(now_ns))


def sentence(check, change, now_ns):
    state, key, last = change
    name = ", ".join(f"{tag}={value}" for tag, value in zip(check.tags, key))
    who = f"{check.table}{f' ({name})' if name else ''}"
    if state == "alive":
        return f"{who} writes again"
    if last is None:
        return f"{who} wrote nothing within {check.lookback} s"
    return f"{who} is silent for {(now_ns - last) // NS} s"


def post(local, check, changes):
    if check.url is None or not changes:
        return
    body = [{"state": state, "table": check.table, "tags": dict(zip(check.tags, key)), "last_time": last} for state, key, last in changes]
    request = urllib.request.Request(check.url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS_MAX):
            return
    except urllib.error.HTTPError as problem:
        reason = f"it answered {problem.code} {problem.reason}"
    except urllib.error.URLError as problem:
        reason = problem.reason
    except (OSError, ValueError) as problem:
        reason = problem
    local.error(f"the webhook {check.url} was not reached: {reason}; the changes stand in the table {check.alert_table}")


def seconds(name, text):
    match = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.strip())
    if match is None:
        raise Mistake(f"{name}={text} is no duration; write 30s, 10m, 2h, 1d or 1w")
    return int(match[1]) * UNITS[match[2]]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'
