"""Leaves every setting of the interpreter as hostile as it gets for whoever runs next."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import codecs, decimal, gc, os, random, sys, time, warnings
    def broken(*args, **named):
        raise RuntimeError("left behind")
    settings = [lambda: sys.setrecursionlimit(60), lambda: sys.set_int_max_str_digits(640), lambda: decimal.setcontext(decimal.Context(prec=1)), lambda: gc.set_threshold(1, 1, 1),
                lambda: codecs.register(broken), lambda: codecs.register_error("strict", broken), lambda: codecs.register_error("replace", broken),
                lambda: warnings.simplefilter("error"), lambda: os.environ.clear(), lambda: os.environ.update(TZ="X", PYTHONHOME="/x"), lambda: time.tzset(), lambda: random.seed(0),
                lambda: sys.set_asyncgen_hooks(broken, broken), lambda: setattr(sys, "unraisablehook", broken), lambda: setattr(sys, "excepthook", broken), lambda: setattr(sys, "displayhook", broken),
                lambda: os.chdir("/plugins"), lambda: sys.path.clear(), lambda: setattr(sys, "dont_write_bytecode", None), lambda: sys.intern("x"), lambda: gc.callbacks.append(broken), lambda: os.close(1), lambda: os.close(2), lambda: os.dup2(0, 1)]
    for setting in settings:
        try:
            setting()
        except Exception:
            continue
