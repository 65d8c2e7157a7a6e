// Goal: the commands that InfluxDB 3's documentation shows work as they are copied. Method: a shell, curl and the built program
// as `influxdb3`; only the host comes from the environment. What each must print is said by the spec's sections.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROGRAM_PATH, removeFolder, startServer, type TestServer } from "../support/server.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
let server: TestServer;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startServer({ tokens: true });
  const bin = join(server.folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "influxdb3"), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM_PATH}" "$@"\n`);
  chmodSync(join(bin, "influxdb3"), 0o755);
  writeFileSync(join(server.folder, "sensor_data"), "cpu,host=a,region=us usage=0.5 1700000000\ncpu,host=b,region=eu usage=0.7 1700000001\n");
  env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, NO_COLOR: "1", INFLUXDB3_HOST_URL: server.url, URL: server.url };
  const token = await sh("influxdb3 create token --admin --format json");
  env["INFLUXDB3_AUTH_TOKEN"] = env["AUTH_TOKEN"] = (JSON.parse(token.stdout) as { token: string }).token;
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

function sh(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn("sh", ["-c", command], { cwd: server.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

type Example = readonly [section: string, command: string, printed: string | RegExp];

/** In this order: later ones read what earlier ones wrote. */
const COMMAND_LINE: readonly Example[] = [
  ["cli §4", "influxdb3 create database mydb", 'Database "mydb" created successfully\n'],
  ["cli §4", "influxdb3 create database --retention-period 30d kept", 'Database "kept" created successfully\n'],
  ["cli §4", "influxdb3 create table --tags room,sensor_id --fields temp:float64,hum:float64 --database mydb home_sensors", 'Table "mydb"."home_sensors" created successfully\n'],
  ["cli §12", "influxdb3 write --database mydb --file sensor_data --precision s", ""],
  ["cli §12", "influxdb3 write --database mydb 'home,room=kitchen temp=72 1700000000\nhome,room=living_room temp=71.5 1700000000'", ""],
  ["cli §11", "influxdb3 query --database mydb 'SELECT host, usage FROM cpu ORDER BY host'", "+------+-------+\n| host | usage |\n+------+-------+\n| a    | 0.5   |\n| b    | 0.7   |\n+------+-------+\n"],
  ["cli §11", "influxdb3 query --database mydb --format csv 'SELECT room, temp FROM home ORDER BY room'", "room,temp\nkitchen,72.0\nliving_room,71.5\n\n"],
  ["cli §11", "echo 'SELECT count(*) AS n FROM cpu' | influxdb3 query --database mydb --format json", '[{"n":2}]\n'],
  ["cli §7", "influxdb3 show databases --format csv", "iox::database\n_internal\nkept\nmydb\n\n"],
  ["cli §7", "influxdb3 show retention --format csv", "database_name,retention_period\n_internal,7d\nkept,30d\nmydb,infinite\n\n"],
  ["cli §7", "influxdb3 show retention --database kept --format json", '[{"database_name":"kept","retention_period":"30d"}]\n'],
  ["cli §7", "influxdb3 show system --database mydb table-list", /processing_engine_triggers/],
  ["cli §4", "influxdb3 create last_cache --database mydb --table home --key-columns room --value-columns temp homeCache", /^new cache created: \{/],
  ["query §2.5", "influxdb3 query --database mydb --format csv \"SELECT room, temp FROM last_cache('home', 'homeCache') ORDER BY room\"", "room,temp\nkitchen,72.0\nliving_room,71.5\n\n"],
  ["cli §4", "influxdb3 create distinct_cache --database mydb --table cpu --columns region,host --max-age 10years cpuDistinct", /^new cache created: \{/],
  ["query §2.5", "influxdb3 query --database mydb --format csv \"SELECT * FROM distinct_cache('cpu', 'cpuDistinct')\"", "region,host\neu,b\nus,a\n\n"],
  ["cli §5", "influxdb3 delete last_cache --database mydb --table home homeCache", "last cache deleted successfully\n"],
  ["cli §5", "influxdb3 delete distinct_cache --database mydb --table cpu cpuDistinct", "distinct cache deleted successfully\n"],
  ["cli §8", "influxdb3 update database --database kept --retention-period 7d", 'Database "kept" updated successfully\n'],
  ["cli §5", "influxdb3 delete table --database mydb home_sensors --yes", 'Table "mydb"."home_sensors" deleted successfully\n'],
  ["cli §5", "echo yes | influxdb3 delete database kept", 'Database "kept" deleted successfully\n'],
  ["cli §4", "influxdb3 create token --admin --name ci --expiry 1d --format json", /"token": "apiv3_/],
  ["cli §5", "influxdb3 delete token --token-name ci --yes", 'Token "ci" deleted successfully\n'],
];

const AUTH = '--header "Authorization: Bearer $AUTH_TOKEN"';
const HTTP: readonly Example[] = [
  ["http-api §9", `curl -s "$URL/health" ${AUTH}`, "OK"],
  ["http-api §9", `curl -s "$URL/ping" ${AUTH}`, /"product_name":"InfluxDB 3 Core"/],
  ["http-api §6.1", `curl -s -w '%{http_code}' "$URL/api/v3/write_lp?db=sensors&precision=auto" ${AUTH} --data-raw 'home,room=Kitchen temp=23.1,hum=36.6 1735545600
home,room=Living\\ Room temp=22.2 1735545600'`, "204"],
  ["http-api §6.1", `curl -s "$URL/api/v3/write_lp?db=sensors&precision=auto&accept_partial=true" ${AUTH} --data-raw 'home,room=Sunroom temp=96
home,room=Sunroom temp="hi"'`, /^\{"error":"partial write of line protocol occurred","data":\[\{"error_message":".+","line_number":2,"original_line":"home,room=Sunroom te"\}\]/],
  ["http-api §6.2", `curl -s -w '%{http_code}' "$URL/api/v2/write?bucket=sensors&precision=ns" --header "Authorization: Token $AUTH_TOKEN" --data-binary 'home,room=kitchen temp=72 1735545600000000001'`, "204"],
  ["http-api §6.3", `curl -s -w '%{http_code}' "$URL/write?db=sensors&precision=s" --user "any:$AUTH_TOKEN" --data-binary 'home,room=kitchen temp=71 1735545601'`, "204"],
  ["http-api §6.3", `curl -s -w '%{http_code}' "$URL/write?db=sensors&precision=s&p=$AUTH_TOKEN" --data-binary 'home,room=kitchen temp=70 1735545602'`, "204"],
  ["http-api §4", `printf 'home,room=attic temp=9 1735545603' | gzip | curl -s -w '%{http_code}' "$URL/api/v3/write_lp?db=sensors&precision=second" ${AUTH} --header "Content-Encoding: gzip" --data-binary @-`, "204"],
  ["http-api §7", `curl -s --get "$URL/api/v3/query_sql" ${AUTH} --data-urlencode "db=sensors" --data-urlencode "q=SELECT temp FROM home WHERE room = 'attic'" --data-urlencode "format=jsonl"`, '{"temp":9.0}\n'],
  ["http-api §7", `curl -s "$URL/api/v3/query_sql" ${AUTH} --json '{"db": "sensors", "q": "SELECT temp FROM home WHERE room = $room", "params": {"room": "attic"}}'`, '[{"temp":9.0}]'],
  ["http-api §10", `curl -s "$URL/api/v3/configure/database?format=csv" ${AUTH}`, /sensors/],
  ["http-api §10", `curl -s -w '%{http_code}' --json '{"db": "made", "retention_period": "7d"}' "$URL/api/v3/configure/database" ${AUTH}`, "200"],
  ["http-api §10", `curl -s -w '%{http_code}' --json '{"db": "made", "table": "t", "tags": ["a"], "fields": [{"name": "f", "type": "int64"}]}' "$URL/api/v3/configure/table" ${AUTH}`, "200"],
  ["http-api §11", `curl -s -w '%{http_code}' --json '{"db": "sensors", "table": "home", "name": "c", "key_columns": ["room"], "value_columns": ["temp"]}' "$URL/api/v3/configure/last_cache" ${AUTH}`, /201$/],
  ["http-api §11", `curl -s -w '%{http_code}' --request DELETE "$URL/api/v3/configure/last_cache?db=sensors&table=home&name=c" ${AUTH}`, "200"],
  ["http-api §12", `curl -s -w '%{http_code}' "$URL/api/v3/configure/processing_engine_trigger" ${AUTH} --json '{"db": "sensors", "plugin_filename": "tutorial/process_writes.py", "trigger_name": "t", "trigger_settings": {"run_async": false, "error_behavior": "log"}, "trigger_specification": "table:home", "disabled": true}'`, "200"],
  ["http-api §12", `curl -s -w '%{http_code}' --request POST "$URL/api/v3/configure/processing_engine_trigger/enable?db=sensors&trigger_name=t" ${AUTH}`, "200"],
  ["http-api §12", `curl -s -w '%{http_code}' --request DELETE "$URL/api/v3/configure/processing_engine_trigger?db=sensors&trigger_name=t&force=true" ${AUTH}`, "200"],
  ["http-api §10", `curl -s -w '%{http_code}' --request DELETE "$URL/api/v3/configure/database?db=made" ${AUTH}`, "200"],
  ["http-api §3.2", `curl -s -w '%{http_code}' "$URL/ping"`, '{"error": "the request was not authenticated"}401'],
];

const check = async ([, command, printed]: Example): Promise<void> => {
  const { stdout, stderr } = await sh(command);
  if (typeof printed === "string") expect(stdout, stderr).toBe(printed);
  else expect(stdout, stderr).toMatch(printed);
};

describe("the command line's examples", () => {
  it.each(COMMAND_LINE.map((example) => ({ name: `${example[0]}: ${example[1].split("\n")[0]}`, example })))("$name", ({ example }) => check(example));
});

describe.skipIf(!hasCurl)("the HTTP API's examples", () => {
  it.each(HTTP.map((example) => ({ name: `${example[0]}: ${example[1].split("\n")[0]}`, example })))("$name", ({ example }) => check(example));
});
