"""Makes the host module and our own modules once more, by every importer."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _imp, importlib, importlib.machinery, importlib.util, sys
    import _tidemark_host as host
    for name in ("_tidemark_host", "builtins", "sys", "_imp", "gc"):
        for again in (lambda: _imp.create_builtin(importlib.util.find_spec(name)), lambda: importlib.reload(sys.modules[name]),
                      lambda: importlib.machinery.BuiltinImporter.load_module(name), lambda: _imp.init_frozen(name), lambda: _imp.exec_builtin(sys.modules[name])):
            try:
                again()
            except Exception:
                continue
    sys.modules.pop("_tidemark_host", None)
    fresh = importlib.import_module("_tidemark_host")
    for module in (host, fresh):
        try:
            module.query("SELECT 1", {}, 5)
        except Exception:
            continue
        influxdb3_local.error("ESCAPED")
    for name in [name for name in sys.modules if name.startswith("_tidemark.")]:
        try:
            importlib.reload(sys.modules[name])
        except Exception:
            continue
