// Goal: a plugin learns nothing of a database that it was not granted. Method: one database is full of names that begin with
// "hidden", in its tables, tags, triggers, logs, caches and queries; a plugin of another one asks every system table that there
// is, whatever their number becomes, and for the names themselves; none of them may appear in what it did not say first.
import { afterAll, beforeAll, expect, test } from "vitest";
import { post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";

const NOISY = 'def process_request(local, query, headers, body, args=None):\n    local.warn("hidden_words")\n    return "done"\n';
const CURIOUS = `
import json

def process_request(local, query, headers, body, args=None):
    answers = {}
    tables = [row["table_name"] for row in local.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'system'")]
    statements = [f"SELECT * FROM system.{name}" for name in tables]
    statements += [f"SELECT * FROM information_schema.{name}" for name in ("tables", "columns", "schemata", "views", "df_settings")] + ["SHOW TABLES", "SHOW ALL"]
    for statement in statements:
        try:
            answers[statement] = local.query(statement)
        except Exception as problem:
            answers[statement] = str(problem)
    refusals = []
    for name in ("hidden_db", "no_such_db"):
        for ask in (lambda: local.query("SELECT 1", None, name), lambda: local.write_sync_to_db(name, LineBuilder("m").int64_field("f", 1), True)):
            try:
                refusals.append(str(ask()))
            except Exception as problem:
                refusals.append(f"{type(problem).__name__}: {problem}".replace(name, "NAME"))
    return json.dumps([answers, refusals], default=str)
`;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({});
  const send = async (path: string, body: object | string): Promise<void> => expect((await post(server, path, body)).status).toBeLessThan(300);
  await send("/api/v3/write_lp?db=hidden_db", "hidden_table,hidden_tag=hidden_value f=1");
  await send("/api/v3/write_lp?db=own", "own_table,k=a f=1");
  for (const [db, name, content] of [["hidden_db", "hidden_trigger", NOISY], ["own", "curious", CURIOUS]] as const) {
    await send("/api/v3/plugins/files", { plugin_name: `${db}_plugin.py`, content });
    await send("/api/v3/configure/processing_engine_trigger", {
      db, trigger_name: name, plugin_filename: `${db}_plugin.py`, trigger_specification: `request:${name}`, trigger_settings: { run_async: false, error_behavior: "log" }, disabled: false, trigger_arguments: { hidden: db },
    });
  }
  await send("/api/v3/configure/distinct_cache", { db: "hidden_db", table: "hidden_table", columns: ["hidden_tag"] });
  await send("/api/v3/configure/last_cache", { db: "hidden_db", table: "hidden_table" });
  await send("/api/v3/engine/hidden_trigger", "");
  expect(await queryRows(server, "hidden_db", "SELECT f FROM hidden_table")).toEqual([{ f: 1 }]);
  // What is to be hidden is there to be seen.
  expect(JSON.stringify(await queryRows(server, "own", "SELECT * FROM system.processing_engine_logs"))).toContain("hidden_words");
}, 60_000);
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

test("a plugin learns no name, row, log or query of a database that it was not granted", async () => {
  const [answers, refusals] = JSON.parse((await post(server, "/api/v3/engine/curious", "")).text) as [Record<string, unknown>, string[]];
  expect(Object.keys(answers).filter((statement) => statement.startsWith("SELECT * FROM system.")).length).toBeGreaterThan(8);
  // Arguments of its own trigger name the key on purpose.
  const seen = Object.entries(answers).filter(([statement, rows]) => !statement.endsWith("trigger_arguments") && /hidden/.test(JSON.stringify(rows)));
  expect(seen).toEqual([]);
  expect(answers["SELECT * FROM system.processing_engine_trigger_arguments"]).toEqual([expect.objectContaining({ trigger_name: "curious" })]);
  // Whether a database exists is not told either.
  expect(refusals.slice(0, 2)).toEqual(refusals.slice(2));
  expect(refusals.every((text) => text.startsWith("PermissionError: the database 'NAME' is not granted"))).toBe(true);
});
