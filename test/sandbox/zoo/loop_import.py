"""Never finishes importing: the code runs before any entry point is called."""

while True:
    pass


def process_scheduled_call(influxdb3_local, call_time, args=None):
    pass
