"""Starts interpreters of its own inside the interpreter and lets them loop."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    for name in ("_interpreters", "_xxsubinterpreters", "interpreters", "_testcapi", "_testinternalcapi", "_interpqueues"):
        try:
            module = __import__(name)
            other = module.create()
        except (ImportError, AttributeError, RuntimeError):
            continue
        for run in ("exec", "run_string"):
            getattr(module, run, lambda *args: None)(other, "import sys, _tidemark_host\nwhile True: pass")
