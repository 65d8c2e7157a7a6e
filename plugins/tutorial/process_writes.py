"""
{
  "plugin_type": ["onwrite"]
}
"""
# The first plugin of Tidemark's README: counts the rows of each table in a flush and writes the count to the table
# `processed_data`. Under `all_tables` it sees its own rows too and fires again and again; `table:` avoids that.


def process_writes(influxdb3_local, table_batches, args=None):
    for table_batch in table_batches:
        table_name = table_batch["table_name"]
        rows = table_batch["rows"]

        influxdb3_local.info(f"Processing {len(rows)} rows from {table_name}")

        line = LineBuilder("processed_data")
        line.tag("source_table", table_name)
        line.int64_field("row_count", len(rows))
        influxdb3_local.write(line)
