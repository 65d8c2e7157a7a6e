"""Answers with a generator that never ends and yields nothing to send."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    def parts():
        while True:
            yield 0
    return parts()
