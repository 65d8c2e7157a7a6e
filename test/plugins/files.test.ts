// Goal: plugin files from end to end: uploads, updates, path safety, a repository that goes away. Method: a real server
// with a local mirror as its plugin repository, driven by the command line where there is a command.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, queryRows, removeFolder, runCli, startServer, temporaryFolder, type TestServer } from "../support/server.ts";

const mirrored = new Map<string, string>();
let mirror: Server;
let server: TestServer;
let flags: string[];
const local = temporaryFolder();

const answering = (word: string): string => `def process_request(influxdb3_local, q, h, b, args=None):\n    return "${word}"\n`;

beforeAll(async () => {
  mirror = createServer((request, response) => {
    const file = mirrored.get(request.url ?? "");
    if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((resolve) => mirror.listen(0, "127.0.0.1", resolve));
  flags = ["--plugin-repo", `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/plugins`, "--plugin-profile", "trusted"];
  server = await startServer({ flags });
  expect((await cli("create", "database", "db")).code).toBe(0);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  mirror.close();
  removeFolder(server.folder);
  removeFolder(local);
});

const cli = (...words: string[]): ReturnType<typeof runCli> => runCli([...words, "--host", server.url], { cwd: local });
const createRequest = (name: string, path: string, ...more: string[]): ReturnType<typeof runCli> =>
  cli("create", "trigger", "--database", "db", "--trigger-spec", `request:${name}`, "--path", path, ...more, name);
const ask = async (name: string): Promise<string> => (await fetch(`${server.url}/api/v3/engine/${name}`)).text();
const put = async (path: string, json: object): Promise<{ status: number; text: string }> => {
  const response = await fetch(server.url + path, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(json) });
  return { status: response.status, text: await response.text() };
};

describe("a plugin repository", () => {
  it("gives the code when a trigger is created; later changes wait for the next trigger", async () => {
    mirrored.set("/plugins/one.py", answering("first"));
    expect(await createRequest("gh1", "gh:one.py")).toMatchObject({ code: 0 });
    mirrored.set("/plugins/one.py", answering("second"));
    expect(await ask("gh1")).toBe("first");
    const tested = await cli("test", "request_plugin", "-d", "db", "gh:one.py");
    expect(JSON.parse(tested.stdout)).toMatchObject({ response: { body: "second" } });
    expect(await ask("gh1")).toBe("first");
    expect(await createRequest("gh2", "gh:one.py")).toMatchObject({ code: 0 });
    expect([await ask("gh1"), await ask("gh2")]).toEqual(["second", "second"]);
  });

  it("says which URL had nothing", async () => {
    const { code, stderr } = await createRequest("gh3", "gh:none.py");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Plugin error: error fetching plugin from repository: 404 Not Found http:\/\/127\.0\.0\.1:\d+\/plugins\/none\.py/)]);
    expect(stderr).toContain("hint: name the path of one Python file in the repository");
  });

  it("is not needed after a restart", async () => {
    mirror.close();
    mirror.closeAllConnections();
    await server.stop("SIGTERM");
    server = await startServer({ folder: server.folder, flags });
    expect(await ask("gh1")).toBe("second");
    expect(await createRequest("gh4", "gh:one.py")).toMatchObject({ code: 0 });
    expect(await ask("gh4")).toBe("second");
    expect((await createRequest("gh5", "gh:never_fetched.py")).stderr).toContain("hint: check the network and --plugin-repo");
  });

  it("its triggers are not among the plugin files, and their code cannot be replaced", async () => {
    expect(await queryRows(server, "_internal", "SELECT plugin_name FROM system.plugin_files WHERE plugin_name LIKE 'gh%'")).toEqual([]);
    expect(await put("/api/v3/plugins/files", { plugin_name: "gh1", content: "" })).toMatchObject({ status: 400, text: expect.stringContaining("comes from a plugin repository and cannot be replaced") });
  });
});

describe("uploads and updates", () => {
  it("a folder with its data files, replaced as a whole by update trigger", async () => {
    const init = "from pathlib import Path\nFILES = Path(__file__).parent\ndef process_request(influxdb3_local, q, h, b, args=None):\n    return ' '.join(sorted(p.name for p in FILES.iterdir() if p.is_file())) + ' ' + (FILES / 'words.txt').read_text()\n";
    mkdirSync(join(local, "pack"));
    for (const [name, text] of [["__init__.py", init], ["words.txt", "one"], ["model.bin", "\u0000"]] as const) writeFileSync(join(local, "pack", name), text);
    writeFileSync(join(local, "pack", "raw.bin"), Uint8Array.of(255, 254));
    expect(await createRequest("pack", "pack", "--upload")).toMatchObject({ code: 0, stdout: "Trigger pack created successfully\n" });
    expect(await ask("pack")).toBe("__init__.py model.bin raw.bin words.txt one");
    const files = await queryRows(server, "_internal", "SELECT file_name, size_bytes FROM system.plugin_files WHERE plugin_name = 'pack' ORDER BY file_name");
    expect(files).toEqual([
      { file_name: "__init__.py", size_bytes: init.length }, { file_name: "model.bin", size_bytes: 1 }, { file_name: "raw.bin", size_bytes: 2 }, { file_name: "words.txt", size_bytes: 3 },
    ]);

    mkdirSync(join(local, "next"));
    for (const [name, text] of [["__init__.py", init], ["words.txt", "two"]] as const) writeFileSync(join(local, "next", name), text);
    expect(await cli("update", "trigger", "-d", "db", "-t", "pack", "-p", "next")).toMatchObject({ code: 0, stdout: "Trigger 'pack' updated successfully (atomic directory replacement)\n" });
    expect(await ask("pack")).toBe("__init__.py words.txt two");
    expect(await put("/api/v3/plugins/files", { plugin_name: "pack", content: answering("init only") })).toMatchObject({ status: 200 });
    expect(await ask("pack")).toBe("init only");
  });

  it("a single file; a folder cannot take its place (it could never be imported there)", async () => {
    writeFileSync(join(local, "single.py"), answering("one"));
    expect(await createRequest("single", "single.py", "--upload")).toMatchObject({ code: 0 });
    writeFileSync(join(local, "single.py"), answering("two"));
    expect(await cli("update", "trigger", "-d", "db", "-t", "single", "-p", "single.py")).toMatchObject({ code: 0, stdout: "Trigger 'single' updated successfully\n" });
    expect(await ask("single")).toBe("two");
    expect((await cli("update", "trigger", "-d", "db", "-t", "single", "-p", "next")).stderr).toContain("is a single file and cannot become a directory");
    expect(await put("/api/v3/plugins/files", { plugin_name: "no_such_trigger", content: "" })).toMatchObject({ status: 500, text: "Processing engine error: plugin error: Plugin not found: no_such_trigger" });
  });

  it("an update of a bundled plugin is a copy of the user's", async () => {
    expect(await createRequest("bundled", "tutorial/process_request.py")).toMatchObject({ code: 0 });
    expect(await put("/api/v3/plugins/files", { plugin_name: "bundled", content: answering("mine") })).toMatchObject({ status: 200 });
    expect(await ask("bundled")).toBe("mine");
    const [file] = (await queryRows(server, "_internal", "SELECT file_path FROM system.plugin_files WHERE plugin_name = 'bundled'")) ?? [];
    expect(file?.["file_path"]).toBe(join(server.folder, "data", "plugins", "tutorial", "process_request.py"));
  });

  it("an absolute name inside the plugin folder is accepted", async () => {
    const name = join(server.folder, "data", "plugins", "single.py");
    expect(await createRequest("absolute", name)).toMatchObject({ code: 0 });
    expect(await ask("absolute")).toBe("two");
  });

  it.each(["../x.py", "/etc/hostname", "a/../../x.py", ".gh/pins.json", "C:\\x.py"])("nothing is written to %s", async (name) => {
    const answer = await post(server, "/api/v3/plugins/files", { plugin_name: name, content: "x" });
    expect(answer).toMatchObject({ status: 500, text: expect.stringContaining(`Path traversal detected: plugin filename '${name}'`) });
  });

  it("a link that leads out is neither read nor written through", async () => {
    const plugins = join(server.folder, "data", "plugins");
    symlinkSync("/etc", join(plugins, "etc"));
    writeFileSync(join(local, "secret.py"), answering("secret"));
    symlinkSync(join(local, "secret.py"), join(plugins, "link.py"));
    for (const path of ["etc/hostname", "link.py"]) expect((await createRequest("link", path)).stderr).toContain("Path traversal detected");
    expect(await post(server, "/api/v3/plugins/files", { plugin_name: "etc/tidemark.py", content: "x" })).toMatchObject({ status: 500 });
  });
});

it("a plugin that imports psutil is created with a word on the grants that it lacks, and gets them by --accept-grants", async () => {
  const strict = await startServer();
  try {
    const say = (line: string): ReturnType<typeof runCli> => runCli([...line.split(" "), "--host", strict.url]);
    await say("create database d");
    const code = "import psutil\n\ndef process_scheduled_call(influxdb3_local, call_time, args=None):\n    psutil.cpu_count()\n";
    expect((await post(strict, "/api/v3/plugins/files", { plugin_name: "machine.py", content: code })).status).toBe(200);
    const created = await say("create trigger --trigger-spec every:1d --path machine.py -d d without");
    expect(created).toEqual({
      code: 0, stdout: "Trigger without created successfully\n",
      stderr: "The plugin's code is likely to need:\n  --allow-sys cpu,memory,disk,network\nIt is not granted: pass --accept-grants, or the flag itself, also to update trigger later\n",
    });
    expect(await say("create trigger --trigger-spec every:1d --path machine.py --accept-grants -d d with")).toMatchObject({ code: 0 });
    const grants = (JSON.parse((await say("show triggers -d d --format json")).stdout) as { trigger_name: string; grants?: string }[]).map((row) => [row.trigger_name, row.grants?.includes("cpu,memory,disk,network") === true]);
    expect(grants).toEqual([["with", true], ["without", false]]);
  } finally {
    await strict.stop("SIGKILL");
    removeFolder(strict.folder);
  }
});

it("the tutorial's command makes a system_metrics trigger in one go: a plugin of ours has what its manifest asks for", async () => {
  const strict = await startServer();
  try {
    const say = (line: string): ReturnType<typeof runCli> => runCli([...line.split(" "), "--host", strict.url]);
    await say("create database my_database");
    const created = await say("create trigger --trigger-spec every:1m --plugin-filename gh:examples/schedule/system_metrics/system_metrics.py --database my_database system_metrics");
    expect(created).toEqual({ code: 0, stdout: "Trigger system_metrics created successfully\n", stderr: "" });
    expect((await say("show triggers --database my_database --format json")).stdout).toContain("cpu,memory,disk,network");
  } finally {
    await strict.stop("SIGKILL");
    removeFolder(strict.folder);
  }
});
