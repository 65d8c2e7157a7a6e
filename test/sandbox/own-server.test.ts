// Goal: a plugin that may call its own server does not get to set it up, on a server that asks nobody for a token. Method: real
// servers on each runtime; the plugin asks over kept and over hastily closed connections, which the server reads when nobody is there
// any more; then the databases are counted.
import { afterEach, expect, test } from "vitest";
import { eventually, post, removeFolder, startServer, type RuntimeName, type TestServer } from "../support/server.ts";

const PLUGIN = `
import http.client, socket

def process_request(local, query, headers, body, args=None):
    port = int(query["port"])
    told = []
    for host in ("127.0.0.1", "0.0.0.0"):
        for path in ("/api/v3/configure/database", "/api/v3/engine/../configure/database", "//api/v3/configure/database", "/api/v3/configure/database?p=x"):
            connection = http.client.HTTPConnection(host, port, timeout=20)
            connection.request("POST", path, '{"db":"evil"}', {"content-type": "application/json", "authorization": "Bearer made-up"})
            told.append(connection.getresponse().status)
            connection.close()
    for number in range(20):
        body = '{"db":"hasty%d"}' % number
        hasty = socket.create_connection(("127.0.0.1", port), 20)
        hasty.sendall(("POST /api/v3/configure/database HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (len(body), body)).encode())
        hasty.close()
    ping = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    ping.request("GET", "/ping")
    told.append(ping.getresponse().status)
    return {"told": told}
`;

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop("SIGKILL");
  if (server !== undefined) removeFolder(server.folder);
});

test.each(["node", "deno", "bun"] as const)("a plugin on %s makes no database over HTTP", { timeout: 90_000 }, async (runtime: RuntimeName) => {
  const running = await startServer({ runtime, flags: ["--plugin-profile", "trusted"] });
  server = running;
  expect((await post(running, "/api/v3/configure/database", { db: "db" })).status).toBe(200);
  expect((await post(running, "/api/v3/plugins/files", { plugin_name: "caller.py", content: PLUGIN })).status).toBe(200);
  const trigger = { db: "db", trigger_name: "caller", plugin_filename: "caller.py", trigger_specification: "request:caller", trigger_settings: { run_async: true, error_behavior: "log" }, disabled: false };
  expect(await post(running, "/api/v3/configure/processing_engine_trigger", trigger)).toMatchObject({ status: 200 });
  const { port } = new URL(running.url);
  const { told } = JSON.parse((await eventually("the plugin to answer", async () => {
    const answer = await post(running, `/api/v3/engine/caller?port=${port}`, "");
    return answer.status === 200 ? answer : undefined;
  }, 60_000)).text) as { readonly told: number[] };
  // Some servers answer a path that no client writes themselves.
  expect(told.slice(0, -1).every((status) => status >= 400)).toBe(true);
  expect(told.at(-1)).toBe(200);
  // Whoever asks the server now asks after what was sent.
  expect((await post(running, "/api/v3/configure/database", { db: "last" })).status).toBe(200);
  const names = await (await fetch(`${running.url}/api/v3/configure/database?format=json`)).json() as { readonly "iox::database": string }[];
  expect(names.map((row) => row["iox::database"]).sort()).toEqual(["_internal", "db", "last"]);
});
