"""Replaces the builtins that the next run needs."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import builtins
    for name in ("str", "len", "isinstance", "compile", "exec", "dict", "list", "open", "print", "__import__", "BaseException", "LineBuilder"):
        setattr(builtins, name, None)
