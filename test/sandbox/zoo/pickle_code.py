"""Unpickles a text that runs a command."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import pickle
    try:
        pickle.loads(b"cos\nsystem\n(S'id'\ntR.")
    except Exception:
        pass
    else:
        influxdb3_local.error('ESCAPED')
