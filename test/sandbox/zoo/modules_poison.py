"""Puts look-alikes of our modules and of the standard library where the next run imports from."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import builtins, sys, types
    class Poison(types.ModuleType):
        def __getattr__(self, name):
            raise RuntimeError("poisoned")
    for name in ("json", "re", "random", "time", "_tidemark", "_tidemark.entry", "_tidemark.local_api", "_tidemark.cache", "_tidemark.loader", "_tidemark_host", "builtins", "sys", "linecache", "traceback", "datetime"):
        sys.modules[name] = Poison(name)
    builtins.__import__ = lambda *args, **named: Poison("x")
    builtins.__build_class__ = builtins.compile = builtins.exec = None
    sys.meta_path.insert(0, Poison("finder"))
    sys.path_hooks.insert(0, Poison("hook"))
    sys.path_importer_cache.clear()
