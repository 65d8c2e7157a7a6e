"""Registers callbacks of sys.monitoring and threading that outlive the run."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import sys, threading
    def broken(*args):
        raise RuntimeError("left behind")
    for tool in range(6):
        sys.monitoring.use_tool_id(tool, f"tool {tool}")
        for event in (sys.monitoring.events.PY_START, sys.monitoring.events.CALL, sys.monitoring.events.LINE, sys.monitoring.events.RAISE):
            sys.monitoring.register_callback(tool, event, broken)
    threading.settrace(broken)
    threading.setprofile(broken)
    sys.monitoring.set_events(0, sys.monitoring.events.PY_START | sys.monitoring.events.CALL)
