"""Uses every descriptor number, opens files until none is left and never closes one."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import os
    held = []
    try:
        while True:
            held.append(os.open("/lib/python313.zip", os.O_RDONLY))
    except OSError:
        pass
    for number in range(-2, 300):
        try:
            data = os.read(number, 10)
        except OSError:
            continue
        if data and not data.startswith(b"PK"):
            influxdb3_local.error(f"ESCAPED {number} {data!r}")
    for number in range(300):
        try:
            os.close(number)
        except OSError:
            pass
