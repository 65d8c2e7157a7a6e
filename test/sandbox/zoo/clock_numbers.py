"""Sleeps, waits and asks clocks with numbers that are none."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import select, threading, time
    odd = [float("nan"), float("inf"), -float("inf"), -1, -1e-9, 1e300, 2**63, 2**64, 10**30, None, "1"]
    for number in odd:
        for way in (time.sleep, lambda n: select.select([], [], [], n if n == n else -1), time.gmtime, time.ctime, lambda n: time.clock_settime(0, n), lambda n: threading.Event().wait(n), lambda n: influxdb3_local.cache.put("k", 1, n)):
            if way is not time.sleep and number in (None, float("inf"), 1e300):
                continue
            try:
                way(number)
            except (ValueError, TypeError, OverflowError, OSError, AttributeError, RuntimeError):
                continue
    # A clock is the address of its name in this C library.
    time.clock_gettime(-1)
