// Goal: every example of docs/plugins.md does what the page says. Method: the comment before a block of Python says how
// it is called, the block of text after it what must come out; it runs through the test endpoints of a real server.
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { closeServer, dropDatabases, openServer, store, testRun, unique, write } from "../conformance/plugins/harness.ts";

interface Call {
  readonly kind: "wal" | "schedule" | "request";
  readonly lp?: string;
  readonly schedule?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly args?: Record<string, string>;
  /** Lines in the database before. */
  readonly stored?: string;
  readonly runs?: number;
}

const page = readFileSync(new URL("../../docs/plugins.md", import.meta.url), "utf8");
const EXAMPLE = /<!-- example (\{.*\}) -->\n```python\n([^]*?)```\n```text\n([^]*?)```/g;
const examples = [...page.matchAll(EXAMPLE)].map(([, call = "", code = "", text = ""]) => ({ call: JSON.parse(call) as Call, code, text }));

beforeAll(openServer);
afterAll(closeServer);
afterEach(dropDatabases);

it("the page has an example for each block of Python", () => {
  expect(examples).toHaveLength([...page.matchAll(/^```python$/gm)].length);
  expect(examples.length).toBeGreaterThanOrEqual(7);
});

it.each(examples)("example $call", async ({ call, code, text }) => {
  const database = unique("guide");
  await write(database, call.stored ?? "made f=1 1");
  const filename = await store(code);
  const test = {
    filename,
    database,
    cache_name: unique("cache"),
    input_arguments: call.args ?? null,
    ...(call.kind === "wal" ? { input_lp: call.lp } : call.kind === "schedule" ? { schedule: call.schedule ?? null } : { query: call.query, headers: call.headers, body: call.body }),
  };
  const lines: string[] = [];
  for (let run = 0; run < (call.runs ?? 1); run += 1) {
    const report = await testRun(call.kind, test);
    expect(report.errors).toEqual([]);
    lines.push(...report.log_lines.slice(1, -1).map((line) => `log    ${line}`));
    lines.push(...(report.database_writes[database] ?? []).map((line) => `write  ${line}`));
    const response = report["response"] as { status: number; headers: Record<string, string>; body: string } | undefined;
    if (response !== undefined) lines.push(`answer ${response.status} ${response.headers["Content-Type"]} ${response.body}`);
  }
  expect(`${lines.join("\n")}\n`).toBe(text);
});
