"""Answers with a generator that never ends."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    def parts():
        while True:
            yield "x" * 1000
    return parts()
