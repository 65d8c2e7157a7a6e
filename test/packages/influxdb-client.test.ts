// Goal: `influxdb_client_3` as plugins use it, against a real server: this one, which a plugin may call when it was granted `self`.
// Method: one request plugin that runs Python the test sends, on a real server.
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTrigger, post, queryRows, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--plugin-profile", "trusted"] });
  await post(server, "/api/v3/configure/database", { db: "d" });
  const content = `from influxdb_client_3 import InfluxDBClient3, Point, WriteOptions, WriteType, write_client_options
from influxdb_client_3.exceptions import InfluxDBError, InfluxDB3ClientQueryError
import influxdb_client_3, datetime

def process_request(influxdb3_local, q, h, body, args=None):
    names = dict(globals(), url=args["url"])
    exec(body.decode() if isinstance(body, bytes) else body, names)
    return {"answer": names.get("answer")}
`;
  await post(server, "/api/v3/plugins/files", { plugin_name: "client.py", content });
  await createTrigger(server, { database: "d", name: "client", specification: "request:client", plugin: "client.py", arguments: { url: server.url } });
}, 60_000);
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

async function answer(code: string): Promise<unknown> {
  const response = await fetch(`${server.url}/api/v3/engine/client`, { method: "POST", body: code });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return (JSON.parse(text) as { answer: unknown }).answer;
}

it("writes points, dicts and lines, in any precision", async () => {
  await answer(`
with InfluxDBClient3(host=url, database="d", token="t") as client:
    client.write(Point("home").tag("room", "living room").field("temp", 21.5).field("n", 2).field("ok", True).field("text", 'a "b"').time(1, "s"))
    client.write([{"measurement": "home", "tags": {"room": "b"}, "fields": {"temp": 1.0, "none": None}, "time": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}, "home,room=c temp=3 7"])
    client.write("home,room=d temp=4 8", write_precision="ms")
`);
  expect(await queryRows(server, "d", "SELECT room, temp, n, ok, text, time FROM home ORDER BY room")).toEqual([
    { room: "b", temp: 1, time: "2026-01-01T00:00:00" }, { room: "c", temp: 3, time: "1970-01-01T00:00:00.000000007" },
    { room: "d", temp: 4, time: "1970-01-01T00:00:00.008" }, { room: "living room", temp: 21.5, n: 2, ok: true, text: 'a "b"', time: "1970-01-01T00:00:01" },
  ]);
});

it("queries into a table", async () => {
  expect(
    await answer(`
client = InfluxDBClient3(url, database="d")
table = client.query("SELECT room, temp, time FROM home WHERE temp > $least ORDER BY temp", query_parameters={"least": 2.5})
answer = [table.num_rows, table.column_names, table["room"].to_pylist(), table.column("temp").to_pylist(), str(table.to_pylist()[1]["time"])]
`),
  ).toEqual([3, ["room", "temp", "time"], ["c", "d", "living room"], [3, 4, 21.5], "1970-01-01 00:00:00.008000"]);
});

it("refusals are errors with the server's words, and what needs Arrow is refused in plain words", async () => {
  expect(
    await answer(`
client = InfluxDBClient3(url, database="d")
answer = []
for action in (lambda: client.write("no line"), lambda: client.query("SELECT * FROM nowhere"), lambda: client.query("SELECT 1", mode="pandas"), lambda: InfluxDBClient3("http://127.0.0.1:1", database="d").write("a b=1")):
    try:
        action()
    except Exception as problem:
        answer.append([type(problem).__name__, str(problem)])
`),
  ).toEqual([
    ["InfluxDBError", expect.stringContaining("line 1")], ["InfluxDB3ClientQueryError", expect.stringContaining("nowhere")], ["NotImplementedError", expect.stringContaining("needs pyarrow or pandas")], ["ConnectionRefusedError", expect.any(String)],
  ]);
});

it("takes batching options and calls their callbacks", async () => {
  expect(
    await answer(`
seen = []
options = write_client_options(write_options=WriteOptions(write_type=WriteType.batching, batch_size=500), success_callback=lambda conf, data: seen.append([list(conf), data]), error_callback=lambda conf, data, error: seen.append(type(error).__name__))
with InfluxDBClient3(url, database="d", write_client_options=options) as client:
    client.write(Point("batched").field("v", 1).time(5))
    client.write("broken")
answer = seen
`),
  ).toEqual([[["d", "default", "ns"], "batched v=1i 5"], "InfluxDBError"]);
});

it("is built in", async () => {
  const installed = await runCli(["install", "package", "influxdb3-python", "--host", server.url]);
  expect([installed.code, installed.stdout]).toEqual([0, expect.stringContaining("influxdb3-python is built in as influxdb_client_3")]);
});
