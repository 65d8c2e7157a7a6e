"""
{
  "plugin_type": ["http"]
}
"""
# Answers at /api/v3/engine/<path of the trigger>. `GET ?name=Ada` greets; a POST of a JSON object writes a row to the table
# `greetings` and says what it wrote.
import json


def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    if not request_body:
        return {"message": f"Hello, {query_parameters.get('name', 'world')}!"}

    try:
        message = json.loads(request_body)
    except ValueError as problem:
        return {"error": f"the body is not JSON: {problem}"}, 400
    if not isinstance(message, dict) or not isinstance(message.get("name"), str):
        return {"error": 'the body must be an object with a text "name"'}, 400

    line = LineBuilder("greetings").tag("name", message["name"])
    line.string_field("text", str(message.get("text", "Hello!")))
    influxdb3_local.write(line)
    influxdb3_local.info(f"a greeting for {message['name']}")
    return {"written": line.build()}, 201
