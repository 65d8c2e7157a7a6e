"""Answers with a hundred thousand headers."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return 'x', {f'h{n}': 'v' for n in range(100_000)}
