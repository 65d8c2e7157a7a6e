// Goal: every mistake a newcomer makes ends in a sentence and a hint, never in a stack trace of ours, and leaves nothing
// half-made. Method: the real program against a real server.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { queryRows, removeFolder, runCli, startServer, temporaryFolder, type TestServer } from "../support/server.ts";

let server: TestServer;
const folder = temporaryFolder();
const OUR_STACK = /\n\s+at .+:\d+:\d+|DatabaseError/;

beforeAll(async () => {
  server = await startServer();
  expect((await runCli(["create", "database", "db", "--host", server.url])).code).toBe(0);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
  removeFolder(folder);
});

const client = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
  const { code, stdout, stderr } = await runCli([...args, "--host", server.url]);
  expect(stdout + stderr).not.toMatch(OUR_STACK);
  return { code, text: stderr };
};

const serve = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
  const { code, stdout, stderr } = await runCli(["serve", ...(args.includes("--node-id") ? [] : ["--node-id", "n"]), ...args]);
  expect(stdout + stderr).not.toMatch(OUR_STACK);
  return { code, text: stderr };
};

const dev = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
  const { code, stderr } = await runCli(["dev", ...args]);
  return { code, text: stderr };
};

const triggerNames = async (): Promise<unknown[]> => ((await queryRows(server, "db", "SELECT trigger_name FROM system.processing_engine_triggers")) ?? []).map((row) => row["trigger_name"]);

describe("the client", () => {
  it("offers the nearest command and flag, exit 2", async () => {
    const command = await runCli(["qeury"]);
    expect([command.code, command.stderr]).toEqual([2, expect.stringContaining("query")]);
    const flag = await runCli(["query", "--databse", "db", "SELECT 1"]);
    expect([flag.code, flag.stderr]).toEqual([2, expect.stringContaining("--database")]);
  });

  it("says that no server answers, and how to start one", async () => {
    const { code, stderr } = await runCli(["query", "-d", "db", "SELECT 1", "--host", "http://127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Query command failed: .*127\.0\.0\.1:1/);
    expect(stderr).toContain("hint:");
  });

  it("names an unknown database and table", async () => {
    expect(await client("query", "-d", "none", "SELECT 1")).toEqual({ code: 1, text: expect.stringContaining("database not found: none") });
    expect(await client("query", "-d", "db", "SELECT * FROM none")).toEqual({ code: 1, text: expect.stringContaining("table 'public.iox.none' not found") });
    expect(await client("create", "trigger", "-d", "none", "--trigger-spec", "all_tables", "--path", "tutorial/process_writes.py", "t")).toEqual({ code: 1, text: expect.stringContaining("Database not found none") });
  });

  it("names the line of bad line protocol and why it is bad", async () => {
    const { code, text } = await client("write", "-d", "db", "good f=1\nbad line");
    expect(code).toBe(1);
    expect(text).toContain('"line_number":2');
    expect(text).toContain("No fields were provided");
  });

  it("names a missing plugin file and makes no trigger", async () => {
    const { code, text } = await client("create", "trigger", "-d", "db", "--trigger-spec", "all_tables", "--path", "nothing.py", "t1");
    expect(code).toBe(1);
    expect(text).toContain("Plugin not found:");
    expect(await triggerNames()).not.toContain("t1");
  });

  it("shows a plugin's syntax error as Python does, with file and line, and makes no trigger", async () => {
    mkdirSync(join(server.folder, "data", "plugins"), { recursive: true });
    writeFileSync(join(server.folder, "data", "plugins", "broken.py"), "def process_writes(local, batches, args):\n    if True\n        pass\n");
    const { code, text } = await client("create", "trigger", "-d", "db", "--trigger-spec", "all_tables", "--path", "broken.py", "t2");
    expect(code).toBe(1);
    expect(text).toContain('File "broken.py", line 2');
    expect(text).toContain("SyntaxError: expected ':'");
    expect(await triggerNames()).not.toContain("t2");
  });

  it("refuses a bad trigger specification before it asks the server, exit 2", async () => {
    const { code, text } = await client("create", "trigger", "-d", "db", "--trigger-spec", "tabel:x", "--path", "tutorial/process_writes.py", "t3");
    expect(code).toBe(2);
    expect(text).toContain("failed to parse trigger from tabel:x");
  });
});

describe("serve", () => {
  it("says that the port is taken, and makes no folder", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as { port: number };
    const { code, text } = await serve("--data-dir", join(folder, "a"), "--http-bind", `127.0.0.1:${port}`);
    taken.close();
    expect(code).toBe(1);
    expect(text).toMatch(new RegExp(`Serve command failed: .*127\\.0\\.0\\.1:${port}.*another program listens there`));
    expect(text).toContain("hint:");
    expect(existsSync(join(folder, "a"))).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)("says that the folder cannot be written", async () => {
    const locked = join(folder, "locked");
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    expect(await serve("--data-dir", join(locked, "data"), "--http-bind", "127.0.0.1:0")).toEqual({ code: 1, text: expect.stringContaining("cannot be written") });
  });

  it("says that a file stands where the folder should be", async () => {
    writeFileSync(join(folder, "file"), "");
    expect(await serve("--data-dir", join(folder, "file"), "--http-bind", "127.0.0.1:0")).toEqual({ code: 1, text: expect.stringContaining("cannot be written") });
  });

  it("refuses a folder that another server uses", async () => {
    expect(await serve("--node-id", "node0", "--data-dir", join(server.folder, "data"), "--http-bind", "127.0.0.1:0")).toEqual({ code: 1, text: expect.stringContaining("in use by another server") });
  });

  it("refuses to listen beyond loopback without tokens and without --without-auth", async () => {
    const { code, text } = await dev("--data-dir", join(folder, "b"), "--http-bind", "0.0.0.0:0");
    expect(code).toBe(1);
    expect(text).toContain("--without-auth");
  });

  it("refuses a folder with InfluxDB's catalog and touches nothing in it", async () => {
    const foreign = join(folder, "foreign");
    mkdirSync(join(foreign, "n", "catalog", "v3", "logs"), { recursive: true });
    writeFileSync(join(foreign, "n", "catalog", "v3", "logs", "00000000000000000001.catalog"), "IDB3\x01\x00\x00\x00rest");
    const before = readdirSync(foreign, { recursive: true }).sort();
    const { code, text } = await serve("--data-dir", foreign, "--http-bind", "127.0.0.1:0");
    expect(code).toBe(1);
    expect(text).toMatch(/catalog/);
    expect(text).toContain("hint:");
    expect(readdirSync(foreign, { recursive: true }).sort()).toEqual(before);
  });
});
