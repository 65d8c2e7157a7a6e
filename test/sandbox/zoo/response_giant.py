"""Answers with a body beyond the limit."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return 'x' * 11_000_000
