// Goal: a plugin of a repository or of the folder says what it needs, and creating its trigger says what is missing and installs
// it, all of it or nothing. Method: the real program and server, a mirror of a plugin repository and an index on loopback.
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { queryRows, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";
import { buildWheel, startIndex, type TestIndex } from "../support/wheels.ts";

const PLUGIN = 'import tool\ndef process_request(influxdb3_local, q, h, b, args=None):\n    return tool.__version__\n';
const mirrored = new Map([
  ["/plugins/vendor/meter/meter.py", PLUGIN],
  ["/plugins/vendor/meter/manifest.toml", '[plugin]\nname = "meter"\n[dependencies]\ndatabase_version = ">=3.0"\npython = ["tool>=1", "psutil", "gone; sys_platform == \'win32\'"]\n'],
  ["/plugins/vendor/broken/broken.py", PLUGIN],
  ["/plugins/vendor/broken/requirements.txt", "compiled\npart\n"],
]);
let mirror: Server;
let index: TestIndex;
let server: TestServer;

beforeAll(async () => {
  index = await startIndex();
  index.add(buildWheel({ name: "tool", version: "1.0", requires: ["part"] }));
  index.add(buildWheel({ name: "part", version: "1.5" }));
  index.addFile("compiled-2.0-cp313-cp313-manylinux_2_17_x86_64.whl");
  mirror = createServer((request, response) => {
    const file = mirrored.get(request.url ?? "");
    if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((resolve) => mirror.listen(0, "127.0.0.1", resolve));
  server = await startServer({ flags: ["--plugin-repo", `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/plugins`], env: { PIP_INDEX_URL: index.url } });
  await cli("create", "database", "d");
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
  mirror.close();
  mirror.closeAllConnections();
  await index.close();
});

const cli = (...words: string[]): ReturnType<typeof runCli> => runCli([...words, "--host", server.url], { cwd: server.folder });
const create = (name: string, path: string, ...more: string[]): ReturnType<typeof runCli> => cli("create", "trigger", "-d", "d", "--trigger-spec", `request:${name}`, "--path", path, ...more, name);
const post = async (json: object): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${server.url}/api/v3/configure/processing_engine_trigger`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ db: "d", ...json }) });
  return { status: response.status, text: await response.text() };
};
const triggers = (): ReturnType<typeof queryRows> => queryRows(server, "d", "SELECT trigger_name FROM system.processing_engine_triggers");
const installed = async (): Promise<string> => (await cli("show", "packages", "--format", "csv")).stdout;

it("what cannot be installed leaves no trigger and no package", async () => {
  const refused = await create("broken", "gh:vendor/broken/broken.py", "--install");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("compiled 2.0 cannot run in a plugin: only compiled wheels")]);
  const overHttp = await post({ plugin_filename: "gh:vendor/broken/broken.py", trigger_name: "broken", trigger_specification: "request:broken", install: true });
  expect(overHttp).toEqual({ status: 400, text: expect.stringContaining("compiled 2.0 cannot run in a plugin") });
  expect(await triggers()).toEqual([]);
  expect(await installed()).not.toContain("part");
});

it("what is missing is listed with the command that installs it, and the trigger is there", async () => {
  const listed = await create("first", "gh:vendor/meter/meter.py");
  expect([listed.code, listed.stdout, listed.stderr]).toEqual([
    0, "Trigger first created successfully\n", "The plugin needs packages that are not installed:\n  tool>=1\nInstall them with --install, or later: influxdb3 install package 'tool>=1'\n",
  ]);
  const overHttp = await post({ plugin_filename: "gh:vendor/meter/meter.py", trigger_name: "second", trigger_specification: "request:second" });
  expect(overHttp.status).toBe(200);
  expect(JSON.parse(overHttp.text)).toEqual({ warnings: ["The plugin needs packages that are not installed: tool>=1. Install them with: influxdb3 install package 'tool>=1'"] });
});

it("--install installs it first; then nothing is missing any more", async () => {
  const done = await create("third", "gh:vendor/meter/meter.py", "--install");
  expect([done.code, done.stdout]).toEqual([0, "Trigger third created successfully\n"]);
  expect(done.stderr).toMatch(/Installed part 1\.5\nInstalled tool 1\.0\n$/);
  expect(await (await fetch(`${server.url}/api/v3/engine/third`)).text()).toBe("1.0");
  expect(await post({ plugin_filename: "gh:vendor/meter/meter.py", trigger_name: "fourth", trigger_specification: "request:fourth", install: true })).toEqual({ status: 200, text: "" });
});

it("a requirements.txt beside a plugin of the folder counts as well, and one that is sent along with it", async () => {
  mkdirSync(join(server.folder, "data", "plugins", "own"), { recursive: true });
  writeFileSync(join(server.folder, "data", "plugins", "own", "own.py"), PLUGIN);
  writeFileSync(join(server.folder, "data", "plugins", "own", "requirements.txt"), "tool>=2 # newer\n");
  expect((await create("own", "own/own.py")).stderr).toContain("  tool>=2 (1.0 is installed)\n");
  mkdirSync(join(server.folder, "here"), { recursive: true });
  writeFileSync(join(server.folder, "here", "mine.py"), PLUGIN);
  writeFileSync(join(server.folder, "here", "requirements.txt"), "other==3\n");
  expect((await create("mine", "here/mine.py", "--upload")).stderr).toContain("  other==3\nInstall them with --install, or later: influxdb3 install package other==3\n");
});

it("with the package manager disabled a sentence says so", async () => {
  const strict = await startServer({ flags: ["--package-manager", "disabled"] });
  try {
    mkdirSync(join(strict.folder, "data", "plugins"), { recursive: true });
    writeFileSync(join(strict.folder, "data", "plugins", "p.py"), PLUGIN);
    writeFileSync(join(strict.folder, "data", "plugins", "requirements.txt"), "tool\n");
    await runCli(["create", "database", "d", "--host", strict.url]);
    const words = ["create", "trigger", "-d", "d", "--trigger-spec", "request:p", "--path", "p.py", "--host", strict.url];
    const refused = await runCli([...words, "--install", "p"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("Package installation has been disabled. Contact your administrator for more information.")]);
    expect(await runCli([...words, "p"])).toMatchObject({ code: 0, stderr: expect.stringContaining("Package installation has been disabled.") });
  } finally {
    await strict.stop("SIGKILL");
    removeFolder(strict.folder);
  }
});
