"""
{
  "plugin_type": ["scheduled"],
  "scheduled_args_config": [
    {"name": "table", "example": "home", "description": "Table whose rows are counted. Default: home", "required": false}
  ]
}
"""
# Counts the rows of a table at every tick and keeps the count in the table `row_counts`, with how many came since the tick
# before. The count before is remembered in the plugin's private cache, which lives as long as the trigger runs.


def process_scheduled_call(influxdb3_local, call_time, args=None):
    table = (args or {}).get("table", "home")
    names = [row["table_name"] for row in influxdb3_local.query("SELECT table_name FROM information_schema.tables")]
    if table not in names:
        influxdb3_local.warn(f"there is no table '{table}' yet")
        return

    quoted = table.replace('"', '""')
    count = influxdb3_local.query(f'SELECT count(*) AS n FROM "{quoted}"')[0]["n"]
    before = influxdb3_local.cache.get("count", count)
    influxdb3_local.cache.put("count", count)
    influxdb3_local.info(f"{table} has {count} rows at {call_time:%H:%M:%S}, {count - before} of them new")

    line = LineBuilder("row_counts").tag("source_table", table)
    line.int64_field("rows", count).int64_field("new_rows", count - before)
    influxdb3_local.write(line)
