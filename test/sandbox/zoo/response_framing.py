"""Answers with headers that would end the response early or begin another one."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return "body", 200, {"Content-Length": "0", "Transfer-Encoding": "chunked", "Connection": "upgrade", "Upgrade": "h2c", "X: y\r\nSet-Cookie": "a", "x-split": "a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "x-null": "a\0b", "x-\u202e": "v", "": "v"}
