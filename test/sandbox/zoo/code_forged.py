"""Runs forged bytecode."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    def plain():
        return 1
    forged = plain.__code__.replace(co_code=bytes([255, 255] * 64), co_stacksize=1_000_000)
    plain.__code__ = forged
    plain()
