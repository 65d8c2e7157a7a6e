"""Reports limits that were not met, of every number and without end."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    raised = 0
    for number in [*range(-3, 300), 2**31, 2**32 - 1, 2**63, None, "x"] + [0] * 20_000:
        try:
            host.exceeded(number)
        except (TypeError, ValueError, OverflowError, RuntimeError, host.ResourceLimitError):
            raised += 1
    influxdb3_local.info("all refused" if raised == 20_308 else f"ESCAPED {raised}")
