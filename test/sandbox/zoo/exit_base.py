"""Raises a BaseException of its own with a hostile str."""

class Odd(BaseException):
    def __str__(self):
        raise Odd
    __repr__ = __str__


def process_scheduled_call(influxdb3_local, call_time, args=None):
    raise Odd
