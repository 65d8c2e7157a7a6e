// Goal: every runtime and transport answers HTTP alike, down to statuses, headers and bodies. Method: the same requests, one after
// another, over real sockets to the real program; expectations cite the spec's sections.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check, JSON_BODY, type HttpCase } from "../support/http-cases.ts";
import { PLACES } from "../support/places.ts";
import { post, removeFolder, startServer, type TestServer } from "../support/server.ts";

const LIMIT = 1_000_000;
const LP = "/api/v3/write_lp?db=d&precision=second";

const CASES: readonly HttpCase[] = [
  { name: "http-api §2: preflight", line: "OPTIONS /api/v3/write_lp", status: 204, text: "", has: { "access-control-allow-methods": "*", "access-control-max-age": "86400" } },
  { name: "http-api §2: unknown path", line: "GET /nowhere", status: 404, text: "Not found", has: { "content-type": null, "cluster-uuid": /^[0-9a-f-]{36}$/, "access-control-allow-origin": null } },
  { name: "http-api §2: HEAD is no GET", line: "HEAD /ping", status: 404, text: "" },
  { name: "http-api §2: a wrong method is not found", line: "GET /write", status: 404, text: "Not found" },
  { name: "http-api §2: token endpoints without auth", line: "POST /api/v3/configure/token/admin", status: 405, text: "endpoint disabled, started without auth" },
  { name: "http-api §3.1: malformed header, also without auth", line: "GET /ping", headers: { authorization: "Digest x" }, status: 400, text: /^\{"error": "Authorization header was malformed, / },
  { name: "http-api §6.1: stored", line: `POST ${LP}`, body: "m,t=a f=1 1700000000", status: 204, text: "", has: { "access-control-allow-origin": "*", "cluster-uuid": /^[0-9a-f-]{36}$/ } },
  { name: "http-api §6.1: no query string", line: "POST /api/v3/write_lp", body: "m f=1", status: 400, text: "missing query parameter 'db'", has: { "content-type": null } },
  { name: "http-api §6.1: no db", line: "POST /api/v3/write_lp?x=1", body: "m f=1", status: 400, text: "serde error: missing field `db`" },
  { name: "http-api §6.1: unknown precision", line: "POST /api/v3/write_lp?db=d&precision=h", body: "m f=1", status: 400, text: /^serde error: unknown variant `h`/ },
  { name: "http-api §6.1: bad database name", line: "POST /api/v3/write_lp?db=_x", body: "m f=1", status: 400, text: /^\{"error":"db name did not start with a number or letter"/ },
  { name: "http-api §6.1: empty", line: `POST ${LP}`, body: "\n# only a comment\n", status: 400, text: "incoming write was empty" },
  { name: "http-api §6.1: partial", line: `POST ${LP}`, body: "m,t=b f=2 1700000001\nbroken line that is longer than twenty bytes", status: 400, text: /^\{"error":"partial write of line protocol occurred","data":\[\{"error_message":".+","line_number":2,"original_line":"broken line that is "\}\]/ },
  { name: "http-api §6.1: nothing with accept_partial=false", line: `POST ${LP}&accept_partial=false`, body: "m,t=never f=2 1700000001\nbroken", status: 400, text: /^\{"error":"line protocol parsing error","data":\{"error_message":".+","line_number":2,"original_line":"broken"\}/ },
  { name: "http-api §4: gzip of several members", line: `POST ${LP}`, body: Buffer.concat([gzipSync("m,t=c f=3 17000"), gzipSync("00002")]), headers: { "content-encoding": "gzip" }, status: 204 },
  { name: "http-api §4: corrupt gzip", line: `POST ${LP}`, body: "no gzip", headers: { "content-encoding": "gzip" }, status: 400, text: /^error decoding gzip stream: / },
  { name: "http-api §4: another encoding", line: `POST ${LP}`, body: "x", headers: { "content-encoding": "br" }, status: 400, text: "unacceptable content-encoding: br" },
  { name: "http-api §4: not UTF-8", line: `POST ${LP}`, body: Uint8Array.of(109, 32, 102, 61, 255), status: 400, text: "body content is not valid utf8" },
  { name: "http-api §4: too large", line: `POST ${LP}`, body: "#".repeat(LIMIT + 1), status: 413, text: `max request size (${LIMIT} bytes) exceeded` },
  { name: "http-api §4: too large once inflated", line: `POST ${LP}`, body: gzipSync("#".repeat(LIMIT + 1)), headers: { "content-encoding": "gzip" }, status: 413, text: `max request size (${LIMIT} bytes) exceeded` },
  { name: "http-api §6.2: v2", line: "POST /api/v2/write?bucket=d&precision=s", body: "m,t=d f=4 1700000003", status: 204 },
  { name: "http-api §6.2: v2 without bucket", line: "POST /api/v2/write?org=x", body: "m f=1", status: 400, text: /^\{"code":"invalid","message":"no org\/bucket destination provided"/ },
  { name: "http-api §6.2: v2 with a bad line", line: "POST /api/v2/write?bucket=d", body: "broken", status: 400, text: /^\{"code":"invalid","message":"write buffer error: line protocol parse failed: / },
  { name: "http-api §6.3: v1", line: "POST /write?db=d&precision=s&rp=autogen", body: "m,t=e f=5 1700000004", status: 204 },
  { name: "http-api §6.3: v1 without db", line: "POST /write", body: "m f=1", status: 400, text: /^\{"error":"no db destination provided"/ },
  { name: "http-api §6.3: v1 with minutes", line: "POST /write?db=d&precision=m", body: "m f=1", status: 400, text: /^\{"error":"failed to deserialize db\/rp\/precision in request: / },
  { name: "http-api §7: json by default", line: "GET /api/v3/query_sql?db=d&q=SELECT+t,f+FROM+m+ORDER+BY+t", status: 200, text: '[{"t":"a","f":1.0},{"t":"b","f":2.0},{"t":"c","f":3.0},{"t":"d","f":4.0},{"t":"e","f":5.0}]', has: { "content-type": "application/json" } },
  { name: "http-api §7: csv", line: "GET /api/v3/query_sql?db=d&format=csv&q=SELECT+f+FROM+m+LIMIT+0", status: 200, has: { "content-type": "text/csv" } },
  { name: "http-api §7: by Accept", line: "GET /api/v3/query_sql?db=d&q=SELECT+1+AS+one", headers: { accept: "text/csv" }, status: 200, text: "one\n1\n" },
  { name: "http-api §7: an unknown Accept", line: "GET /api/v3/query_sql?db=d&q=SELECT+1", headers: { accept: "application/jsonl" }, status: 400, text: "invalid mime type (application/jsonl)" },
  { name: "http-api §7: parameters", line: "POST /api/v3/query_sql", body: '{"db":"d","q":"SELECT f FROM m WHERE t = $t","params":{"t":"c"}}', headers: JSON_BODY, status: 200, text: '[{"f":3.0}]' },
  { name: "http-api §7: broken JSON", line: "POST /api/v3/query_sql", body: "{", headers: JSON_BODY, status: 400, text: /^serde json error: / },
  { name: "http-api §7: no such database", line: "GET /api/v3/query_sql?db=nope&q=SELECT+1", status: 404, text: /query error: database not found: nope/ },
  { name: "http-api §7: no such table", line: "GET /api/v3/query_sql?db=d&q=SELECT+*+FROM+nope", status: 400, text: /table 'public.iox.nope' not found/ },
  { name: "http-api §9: health", line: "GET /health", status: 200, text: "OK" },
  { name: "http-api §9: ping", line: "POST /ping", status: 200, has: { "x-influxdb-build": "Core", "x-influxdb-version": /^\d+\.\d+\.\d+$/, "x-request-id": /^[0-9a-f-]{36}$/ } },
  { name: "http-api §9: metrics", line: "GET /metrics", status: 200, text: /# EOF\n$/, has: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } },
  { name: "http-api §10: create", line: "POST /api/v3/configure/database", body: '{"db":"x"}', headers: JSON_BODY, status: 200, text: "" },
  { name: "http-api §10: create again", line: "POST /api/v3/configure/database", body: '{"db":"x"}', headers: JSON_BODY, status: 409, text: "attempted to create a resource that already exists" },
  { name: "http-api §4: no content type", line: "POST /api/v3/configure/database", body: '{"db":"y"}', status: 415, text: "unacceptable content-type, expected: application/json" },
  { name: "http-api §10: list", line: "GET /api/v3/configure/database?format=csv", status: 200, text: "iox::database\n_internal\nd\nx\n" },
  { name: "http-api §10: delete", line: "DELETE /api/v3/configure/database?db=x", status: 200, text: "" },
  { name: "http-api §10: delete what is not there", line: "DELETE /api/v3/configure/database?db=nope", status: 404, text: "the requested resource was not found: nope" },
  { name: "http-api §12: no such plugin path", line: "GET /api/v3/engine/nope", status: 404, text: '{error: "not found"}' },
  { name: "processing-engine §10: request plugin", line: "POST /api/v3/engine/echo?a=1&b=%C3%A9", body: Uint8Array.of(0, 255, 10), headers: { "x-own": "v" }, status: 201, text: '{"query": {"a": "1", "b": "\\u00e9"}, "own": "v", "size": 3}', has: { "x-made": "yes", "content-type": "application/json" } },
  { name: "openapi", line: "GET /openapi.json", status: 200, text: /^\{"openapi":"3\.1\.0"/ },
];

const ECHO = `import json
def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    body = json.dumps({"query": query_parameters, "own": request_headers["x-own"], "size": len(request_body)})
    return body, 201, {"x-made": "yes", "content-type": "application/json"}
`;

describe.each(PLACES)("HTTP on $name", ({ runtime, flags }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ runtime, flags: [...flags, "--max-http-request-size", String(LIMIT)] });
    await post(server, "/api/v3/configure/database", { db: "d" });
    await post(server, "/api/v3/plugins/files", { plugin_name: "echo.py", content: ECHO });
    const trigger = { db: "d", trigger_name: "echo", plugin_filename: "echo.py", trigger_specification: "request:echo", trigger_settings: { run_async: false, error_behavior: "log" }, disabled: false };
    expect((await post(server, "/api/v3/configure/processing_engine_trigger", trigger)).status).toBe(200);
  }, 60_000);
  afterAll(async () => {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  });

  it.each(CASES)("$name", (asked) => check(server, asked));
});
