"""Makes the call that counts the cache's keys after the run loop for ever."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    from _tidemark import entry
    def endless():
        while True:
            pass
    entry.cache_size = endless
