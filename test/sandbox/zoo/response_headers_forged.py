"""Answers past the converter's check with a hundred thousand headers."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    from _tidemark import response
    response.HEADERS_MAX = response.HEADER_BYTES_MAX = 10**9
    return "x", {f"h{n}": "v" for n in range(100_000)}
