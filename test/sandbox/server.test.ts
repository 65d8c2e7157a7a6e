// Goal: what a hostile plugin asks of the whole server: its own database, ever more databases, one log line for many.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";

const PLUGIN = `
import _tidemark_host as host
from _tidemark import local_api

def process_request(local, query, headers, body, args=None):
    line = LineBuilder("m").int64_field("f", 1)
    told = []
    for way in (lambda: host.write_sync("_internal", "m f=1", True), lambda: local.write_sync_to_db("_internal", line, True), lambda: local.write_to_db("_internal", line)):
        try:
            way()
            told.append("ESCAPED")
        except Exception as problem:
            told.append(str(problem))
    local_api._buffered["_internal"] = ["m f=1"]
    for index in range(8):
        try:
            local.write_sync_to_db(f"fresh{index}", line, False)
            told.append("written")
        except Exception as problem:
            told.append(str(problem))
    local.info("first\\n1970-01-01T00:00:00.000Z ERROR forged\\x1b[2J")
    return told
`;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--plugin-profile", "trusted"] });
  expect((await post(server, "/api/v3/write_lp?db=db", "known f=1 1700000000000000000")).status).toBe(204);
  expect((await post(server, "/api/v3/plugins/files", { plugin_name: "hostile.py", content: PLUGIN })).status).toBe(200);
  const trigger = { db: "db", trigger_name: "hostile", plugin_filename: "hostile.py", trigger_specification: "request:hostile", trigger_settings: { run_async: false, error_behavior: "log" }, disabled: false };
  expect(await post(server, "/api/v3/configure/processing_engine_trigger", trigger)).toMatchObject({ status: 200 });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

test("a plugin cannot write to _internal, nor take the last databases unseen, nor forge the server's log", async () => {
  const answer = await post(server, "/api/v3/engine/hostile", "");
  expect(answer.status).toBe(200);
  const told = JSON.parse(answer.text) as string[];
  expect(told.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => expect.stringContaining("error writing line protocol to _internal: ")));
  // Five databases at most (spec: processing-engine §11), one of them existed.
  expect(told.slice(3).filter((text) => text === "written")).toHaveLength(4);
  expect(told.slice(7)).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/limit/i)));
  const rows = await eventually("the log rows", async () => {
    const found = await queryRows(server, "db", "SELECT log_level, log_text FROM system.processing_engine_logs");
    return found !== undefined && found.some(({ log_text }) => String(log_text).includes("error writing back lines to _internal")) ? found : undefined;
  });
  const texts = rows.map(({ log_text }) => String(log_text));
  for (const index of [0, 1, 2, 3]) expect(texts).toContain(`a write of this trigger created the database 'fresh${index}'`);
  const lines = server.output().split("\n");
  expect(lines.filter((line) => /^1970-01-01.* ERROR forged/.test(line))).toEqual([]);
  expect(server.output()).not.toContain("\u001b");
});
