"""Answers with impossible statuses through the response protocol."""

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    class Answer:
        status_code = 2**31
        headers = {}
        def __flask_response__(self):
            return True
        def get_data(self):
            return ""
    return Answer()
