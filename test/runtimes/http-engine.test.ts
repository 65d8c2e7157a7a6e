// Goal: what tokens, the catalog, caches and triggers answer is the same on every runtime and transport, from the whole program and
// over real sockets. Method: one server with tokens and restrictions for each; requests build on each other; sections of the spec.
import { afterAll, beforeAll, describe, it } from "vitest";
import { check, JSON_BODY, type HttpCase } from "../support/http-cases.ts";
import { PLACES } from "../support/places.ts";
import { removeFolder, startServer, type TestServer } from "../support/server.ts";

const FLAGS = ["--disable-authz", "health", "--package-manager", "disabled", "--restrict-plugin-triggers-to", "schedule,request"];

const ADMIN = { authorization: "Bearer {admin}" };
const ADMIN_JSON = { ...ADMIN, ...JSON_BODY };
const UNAUTHENTICATED = '{"error": "the request was not authenticated"}';
const TOKEN = "/api/v3/configure/token";
const DATABASE = "/api/v3/configure/database";
const TABLE = "/api/v3/configure/table";
const LAST = "/api/v3/configure/last_cache";
const DISTINCT = "/api/v3/configure/distinct_cache";
const TRIGGER = "/api/v3/configure/processing_engine_trigger";
const trigger = (change: object = {}): string =>
  JSON.stringify({ db: "d", trigger_name: "t", plugin_filename: "p.py", trigger_specification: "every:1h", trigger_settings: { run_async: false, error_behavior: "log" }, trigger_arguments: null, disabled: false, ...change });
const sql = (text: string): string => `/api/v3/query_sql?db=d&q=${encodeURIComponent(text)}`;

const TOKENS: readonly HttpCase[] = [
  { name: "http-api §3.2: no token", line: "GET /ping", status: 401, text: UNAUTHENTICATED, has: { "content-type": null, "access-control-allow-origin": null } },
  { name: "http-api §3.2: an unknown token", line: "POST /api/v3/write_lp?db=d", body: "m f=1", headers: { authorization: "Bearer apiv3_x" }, status: 401, text: UNAUTHENTICATED },
  { name: "http-api §2: 401 before 404", line: "GET /nowhere", status: 401, text: UNAUTHENTICATED },
  { name: "http-api §2: a preflight needs none", line: "OPTIONS /ping", status: 204, text: "" },
  { name: "http-api §3.3: --disable-authz health", line: "GET /health", status: 200, text: "OK" },
  { name: "http-api §3.3: no other path", line: "GET /metrics", status: 401 },
  { name: "http-api §3.4: the first admin token", line: `POST ${TOKEN}/admin`, status: 201, text: /^\{"id":\d+,"name":"_admin","token":"apiv3_[A-Za-z0-9_-]{86}","hash":"[0-9a-f]{128}","created_at":\d+,"expiry":null\}$/, keeps: "admin" },
  { name: "http-api §3.4: only once", line: `POST ${TOKEN}/admin`, status: 409, text: "token name already exists, _admin" },
  { name: "http-api §3.4: another admin", line: `POST ${TOKEN}/named_admin`, headers: ADMIN_JSON, body: '{"token_name":"ci","expiry_secs":3600}', status: 201, text: /"name":"ci"/, keeps: "ci" },
  { name: "http-api §3.4: the same name again", line: `POST ${TOKEN}/named_admin`, headers: ADMIN_JSON, body: '{"token_name":"ci"}', status: 409, text: "token name already exists, ci" },
  { name: "http-api §3.4: no content type", line: `POST ${TOKEN}/named_admin`, headers: ADMIN, body: "{}", status: 415 },
  { name: "http-api §3.1: Token", line: "GET /ping", headers: { authorization: "Token {ci}" }, status: 200 },
  { name: "http-api §3.1: p on v1 paths", line: "POST /write?db=d&p={ci}&precision=s", body: "m,t=a f=1 1700000000", status: 204 },
  { name: "http-api §3.1: p nowhere else", line: "POST /api/v3/write_lp?db=d&p={ci}", body: "m f=1", status: 401 },
  { name: "http-api §3.4: deleted", line: `DELETE ${TOKEN}?token_name=ci`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §3.2: a deleted token", line: "GET /ping", headers: { authorization: "Bearer {ci}" }, status: 401 },
  { name: "http-api §3.4: delete what is not there", line: `DELETE ${TOKEN}?token_name=ci`, headers: ADMIN, status: 404 },
  { name: "http-api §3.4: the operator stays", line: `DELETE ${TOKEN}?token_name=_admin`, headers: ADMIN, status: 405, text: "cannot delete operator token" },
  { name: "http-api §3.4: regenerated", line: `POST ${TOKEN}/admin/regenerate`, headers: ADMIN, status: 201, text: /"name":"_admin"/, keeps: "fresh" },
  { name: "http-api §3.4: the old one is dead", line: "GET /ping", headers: ADMIN, status: 401 },
  { name: "http-api §3.4: the new one is not", line: "GET /ping", headers: { authorization: "Bearer {fresh}" }, status: 200 },
];

const CATALOG: readonly HttpCase[] = [
  { name: "http-api §10: retention", line: `POST ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"kept","retention_period":"30d"}', status: 200, text: "" },
  { name: "http-api §10: a bad duration", line: `POST ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"y","retention_period":"soon"}', status: 400 },
  { name: "http-api §10: a bad name", line: `POST ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"a b"}', status: 400, text: /^database name 'a b' contains invalid character, character number \d is not allowed$/ },
  { name: "http-api §10: changed", line: `PUT ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"kept","retention_period":null}', status: 200 },
  { name: "http-api §10: changed where nothing is", line: `PUT ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"nope","retention_period":"1d"}', status: 404 },
  { name: "http-api §10: retention_period", line: `POST ${DATABASE}/retention_period?db=kept&duration=7d`, headers: ADMIN, status: 204, text: "" },
  { name: "http-api §10: retention_period is cleared", line: `DELETE ${DATABASE}/retention_period?db=kept`, headers: ADMIN, status: 204, text: "" },
  { name: "http-api §10: a table", line: `POST ${TABLE}`, headers: ADMIN_JSON, body: '{"db":"d","table":"made","tags":["a"],"fields":[{"name":"f","type":"float64"},{"name":"s","type":"utf8"}]}', status: 200, text: "" },
  { name: "http-api §10: the table again", line: `POST ${TABLE}`, headers: ADMIN_JSON, body: '{"db":"d","table":"made","tags":["a"]}', status: 409, text: "attempted to create a resource that already exists" },
  { name: "http-api §10: a column twice", line: `POST ${TABLE}`, headers: ADMIN_JSON, body: '{"db":"d","table":"twice","tags":["a","a"]}', status: 400 },
  { name: "http-api §10: a table deleted", line: `DELETE ${TABLE}?db=d&table=made`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §10: a table that is not there", line: `DELETE ${TABLE}?db=d&table=nope`, headers: ADMIN, status: 404, text: /nope/ },
  { name: "http-api §10: a bad time", line: `DELETE ${DATABASE}?db=kept&hard_delete_at=soon`, headers: ADMIN, status: 400, text: "Cannot parse the timestamp: soon" },
  { name: "http-api §10: now", line: `DELETE ${DATABASE}?db=kept&hard_delete_at=now`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §10: _internal stays", line: `DELETE ${DATABASE}?db=_internal`, headers: ADMIN, status: 500, text: "cannot modify internal db" },
  { name: "http-api §4: neither URL nor body", line: `DELETE ${DATABASE}`, headers: ADMIN, status: 415 },
  ...["e1", "e2", "e3", "e4"].map((db) => ({ name: `http-api §10: ${db} of five databases`, line: `POST ${DATABASE}`, headers: ADMIN_JSON, body: JSON.stringify({ db }), status: 200 })),
  { name: "http-api §10: the sixth database", line: `POST ${DATABASE}`, headers: ADMIN_JSON, body: '{"db":"e5"}', status: 422, text: /^\{"error":"Adding a new database would exceed limit of 5 databases"/ },
  { name: "http-api §6.1: the sixth database by a write", line: "POST /api/v3/write_lp?db=e5", headers: ADMIN, body: "m f=1", status: 422, text: /^\{"error":"Adding a new database would exceed limit of 5 databases"/ },
  { name: "http-api §6.2: the same in v2", line: "POST /api/v2/write?bucket=e5", headers: ADMIN, body: "m f=1", status: 400, text: /^\{"code":"invalid","message":"write buffer error: Adding a new database would exceed limit of 5 databases"/ },
  { name: "http-api §7: a missing parameter", line: `GET ${sql("SELECT * FROM m WHERE t = $host")}`, headers: ADMIN, status: 400, text: /No value found for placeholder with name \$host/ },
  { name: "http-api §7: an unknown column", line: `GET ${sql("SELECT nope FROM m")}`, headers: ADMIN, status: 400, text: /No field named/ },
  { name: "http-api §7: a statement that writes", line: `GET ${sql("DROP TABLE m")}`, headers: ADMIN, status: 405, text: /^This feature is not implemented: / },
];

const CACHES: readonly HttpCase[] = [
  { name: "http-api §11: a last cache", line: `POST ${LAST}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m"}', status: 201, text: /"m_t_last_cache"/ },
  { name: "http-api §11: the last cache again, otherwise", line: `POST ${LAST}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","count":3}', status: 409 },
  { name: "http-api §11: of a column that is not there", line: `POST ${LAST}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","name":"x","key_columns":["nope"]}', status: 400 },
  { name: "http-api §11: of none", line: `POST ${LAST}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","name":"x","count":0}', status: 400 },
  { name: "http-api §11: of a table that is not there", line: `POST ${LAST}`, headers: ADMIN_JSON, body: '{"db":"d","table":"nope"}', status: 404 },
  { name: "http-api §11: is asked", line: `GET ${sql("SELECT t, f FROM last_cache('m')")}`, headers: ADMIN, status: 200, text: '[{"t":"a","f":1.0}]' },
  { name: "http-api §11: deleted", line: `DELETE ${LAST}?db=d&table=m&name=m_t_last_cache`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §11: deleted again", line: `DELETE ${LAST}?db=d&table=m&name=m_t_last_cache`, headers: ADMIN, status: 404 },
  { name: "http-api §11: a distinct cache", line: `POST ${DISTINCT}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","columns":["t"]}', status: 201, text: /"m_t_distinct_cache"/ },
  { name: "http-api §11: the same name", line: `POST ${DISTINCT}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","columns":["t"]}', status: 409 },
  { name: "http-api §11: of no columns", line: `POST ${DISTINCT}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","name":"x","columns":[]}', status: 400 },
  { name: "http-api §11: of a float", line: `POST ${DISTINCT}`, headers: ADMIN_JSON, body: '{"db":"d","table":"m","name":"x","columns":["f"]}', status: 400 },
];

const TRIGGERS: readonly HttpCase[] = [
  { name: "http-api §12: a plugin file", line: "POST /api/v3/plugins/files", headers: ADMIN_JSON, body: JSON.stringify({ plugin_name: "p.py", content: "def process_scheduled_call(influxdb3_local, call_time, args=None):\n    influxdb3_local.info('hi')\n" }), status: 200, text: "" },
  { name: "http-api §12: a kind that is not allowed", line: `POST ${TRIGGER}`, headers: ADMIN_JSON, body: trigger({ trigger_specification: "all_tables" }), status: 400, text: "invalid request: server is configured to reject WalRows plugin triggers" },
  { name: "http-api §12: a trigger", line: `POST ${TRIGGER}`, headers: ADMIN_JSON, body: trigger(), status: 200, text: "" },
  { name: "http-api §12: the trigger again", line: `POST ${TRIGGER}`, headers: ADMIN_JSON, body: trigger(), status: 409 },
  { name: "http-api §12: no such plugin", line: `POST ${TRIGGER}`, headers: ADMIN_JSON, body: trigger({ trigger_name: "u", plugin_filename: "nope.py" }), status: 500 },
  { name: "http-api §12: no such database", line: `POST ${TRIGGER}`, headers: ADMIN_JSON, body: trigger({ db: "nope" }), status: 404, text: /nope/ },
  { name: "http-api §12: enabled twice", line: `POST ${TRIGGER}/enable?db=d&trigger_name=t`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §12: deleted while it is enabled", line: `DELETE ${TRIGGER}?db=d&trigger_name=t`, headers: ADMIN, status: 500, text: "Cannot delete running plugin t. Disable it first or use --force." },
  { name: "http-api §12: disabled", line: `POST ${TRIGGER}/disable?db=d&trigger_name=t`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §12: deleted", line: `DELETE ${TRIGGER}?db=d&trigger_name=t`, headers: ADMIN, status: 200, text: "" },
  { name: "http-api §12: deleted again", line: `DELETE ${TRIGGER}?db=d&trigger_name=t`, headers: ADMIN, status: 404 },
  { name: "http-api §12: a test run", line: "POST /api/v3/plugin_test/schedule", headers: ADMIN_JSON, body: '{"filename":"p.py","database":"d"}', status: 200, text: /"log_lines":\[.*INFO: hi.*\].*"errors":\[\]/ },
  { name: "http-api §12: packages are switched off", line: "POST /api/v3/configure/plugin_environment/install_packages", headers: ADMIN_JSON, body: '{"packages":["x"]}', status: 403, text: "Package installation has been disabled. Contact your administrator for more information." },
];

describe.each(PLACES)("the engine behind HTTP on $name", ({ runtime, flags }) => {
  let server: TestServer;
  const kept = new Map<string, string>();
  beforeAll(async () => {
    server = await startServer({ runtime, flags: [...flags, ...FLAGS], tokens: true });
  }, 60_000);
  afterAll(async () => {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  });

  it.each(TOKENS)("$name", (asked) => check(server, asked, kept));
  it("goes on with the new token", () => void kept.set("admin", kept.get("fresh") as string));
  it.each([...CATALOG, ...CACHES, ...TRIGGERS])("$name", (asked) => check(server, asked, kept));
});
