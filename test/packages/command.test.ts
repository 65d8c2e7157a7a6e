// Goal: `install package` as its user sees it, and failures that are failures. Method: the real program and server, an index on
// loopback.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";
import { buildWheel, startIndex, type TestIndex } from "../support/wheels.ts";

let index: TestIndex;
let server: TestServer;

beforeAll(async () => {
  index = await startIndex();
  index.add(buildWheel({ name: "tool", version: "1.0", requires: ["part>=1"] }));
  index.add(buildWheel({ name: "tool", version: "2.0", requires: ["part>=1"] }));
  index.add(buildWheel({ name: "part", version: "1.5" }));
  index.addFile("pandas-2.2.0-cp313-cp313-manylinux_2_17_x86_64.whl");
  server = await startServer();
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
  await index.close();
});

const cli = (...args: string[]): ReturnType<typeof runCli> => runCli([...args, "--host", server.url], { cwd: server.folder });
const install = (...args: string[]): ReturnType<typeof runCli> => cli("install", "package", ...args, "--index-url", index.url);

it("installs, tells what, and lists it", async () => {
  const done = await install("tool<2");
  expect([done.code, done.stdout]).toEqual([0, "Installed part 1.5\nInstalled tool 1.0\n"]);
  expect(done.stderr).toContain("Downloading tool");
  expect((await cli("show", "packages", "--format", "csv")).stdout).toContain("tool,1.0,true");
  expect((await install("tool")).stdout).toBe("Everything is installed already\n");
  expect((await install("tool", "--upgrade", "--dry-run")).stdout).toBe("Would install tool 2.0 (was 1.0)\n");
});

it("sends a requirements file with those that it includes", async () => {
  mkdirSync(join(server.folder, "req"), { recursive: true });
  writeFileSync(join(server.folder, "req", "all.txt"), "-r base.txt\n");
  writeFileSync(join(server.folder, "req", "base.txt"), "tool==2.0\n");
  expect((await install("-r", "req/all.txt")).stdout).toBe("Installed tool 2.0 (was 1.0)\n");
  writeFileSync(join(server.folder, "req", "bad.txt"), "tool\n-e .\n");
  const bad = await install("-r", "req/bad.txt");
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining("req/bad.txt: line 2: editable installs would run code")]);
});

it("the tutorial's `install package pandas` is an honest refusal that changes nothing", async () => {
  const refused = await install("pandas");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^Install command failed: pandas 2\.2\.0 cannot run in a plugin: only compiled wheels, such as cp313-cp313-manylinux_2_17_x86_64\nhint: plugins run on CPython for WebAssembly/);
  expect((await cli("show", "packages", "--format", "csv")).stdout).not.toContain("pandas");
});

it("says that psutil is built in", async () => expect((await install("psutil")).stdout).toBe("psutil is built in; a trigger may use it with --allow-sys cpu,memory,disk,network\n"));

it("uninstalls what nobody needs any more", async () => {
  expect((await cli("uninstall", "package", "part")).stderr).toContain("tool needs part");
  expect((await cli("uninstall", "package", "tool")).stdout).toBe("Removed part 1.5\nRemoved tool 2.0\n");
});

it("over HTTP a failed install is a failed request", async () => {
  const post = (body: object): Promise<Response> => fetch(`${server.url}/api/v3/configure/plugin_environment/install_packages`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const failed = await post({ packages: ["nope", "--index-url", index.url] });
  expect([failed.status, await failed.text()]).toEqual([400, "The package nope is not in the index"]);
  const done = await post({ packages: ["part", "--index-url", index.url] });
  expect([done.status, await done.json()]).toEqual([200, { installed: [{ name: "part", version: "1.5" }], removed: [], unchanged: [], notes: [], dryRun: false }]);
  const outside = await fetch(`${server.url}/api/v3/configure/plugin_environment/install_requirements`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ requirements_location: "/etc/passwd" }) });
  expect([outside.status, await outside.text()]).toEqual([400, 'The requirements file "/etc/passwd" cannot be read: the server reads requirements files of its plugin folder only']);
});

it("is refused where the server forbids it (spec: cli §9)", async () => {
  const strict = await startServer({ flags: ["--package-manager", "disabled"] });
  try {
    const refused = await runCli(["install", "package", "tool", "--host", strict.url]);
    expect([refused.code, refused.stderr]).toEqual([1, "Install command failed: Package installation has been disabled. Contact your administrator for more information.\n"]);
  } finally {
    await strict.stop("SIGKILL");
    removeFolder(strict.folder);
  }
});
