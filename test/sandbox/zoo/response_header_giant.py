"""Answers with one giant header."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return 'x', {'h': 'v' * 1_000_000}
