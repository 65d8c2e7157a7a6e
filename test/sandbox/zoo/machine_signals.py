"""Installs signal handlers and alarms."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import signal
    for way in (lambda: signal.signal(signal.SIGINT, lambda *_: None), lambda: signal.alarm(1), lambda: signal.raise_signal(2)):
        try:
            way()
        except BaseException:
            pass
