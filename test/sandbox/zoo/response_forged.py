"""Answers past the converter's check with a body beyond the limit."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    from _tidemark import response
    response._check_body = lambda size: None
    return "x" * 20_000_000
