"""Answers with a dictionary whose JSON is beyond the limit."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return {'x': ['y' * 1000] * 20_000}
