"""Logs and prints what looks like the server's own lines, with terminal codes."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info("one\n2026-01-01T00:00:00.000Z ERROR forged line\x1b[2J\x1b]0;title\x07\r\u202e")
    print("\x1b[31mred\x1b[0m")
