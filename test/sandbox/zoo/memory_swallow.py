"""Fills memory, swallows the MemoryError and goes on."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    held = []
    for _ in range(1000):
        try:
            while True:
                held.append(bytearray(1_000_000))
        except MemoryError:
            pass
    raise MemoryError
