"""Makes LineBuilder lie."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    LineBuilder.build = lambda self: "stolen f=1"
    LineBuilder.tag = None
    LineBuilder.extra = 1
    import __main__
    __main__.LineBuilder = None
