"""Waits for a lock that nobody will release."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import threading
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
