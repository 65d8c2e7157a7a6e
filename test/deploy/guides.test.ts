// Goal: the deployment guides work as they are written. Method: their settings files and commands are taken out of the pages and
// run with the built program on Node, Deno and Bun, on a free port and in a temporary folder; the rest is checked for its flags.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { SERVE_FLAGS } from "../../src/cli/serve-flags.ts";
import { COMMANDS, eventually, PROGRAM_PATH, removeFolder, temporaryFolder } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const page = (name: string): string => readFileSync(join(ROOT, "docs/deploy", name), "utf8");
const blocks = (name: string, language: string): string[] => [...page(name).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map((match) => match[1] as string);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) removeFolder(folder);
});

/** Starts the words in a folder and resolves once the server is ready; then it must end cleanly on SIGTERM. */
async function starts(command: string, words: readonly string[], folder: string): Promise<void> {
  const listener = join(folder, "listener");
  const child = spawn(command, words, { cwd: folder, env: { ...process.env, HOME: folder, INFLUXDB3_HTTP_BIND_ADDR: "127.0.0.1:0", INFLUXDB3_TCP_LISTENER_FILE_PATH: listener } });
  let output = "";
  child.stderr.on("data", (data) => (output += String(data)));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    const address = await eventually("the server to listen", () => {
      if (child.exitCode !== null) throw new Error(output);
      return existsSync(listener) ? readFileSync(listener, "utf8").trim() || undefined : undefined;
    }, 30_000);
    expect((await fetch(`http://${address}/ping`)).status).toBe(401);
    await eventually("the banner", () => (output.includes("create token --admin") ? true : undefined));
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
}

function newFolder(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder;
}

/** What `npm install tidemark` leaves: the package's own files, and its dependencies beside it. */
function installInto(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, "node_modules")).filter((entry) => !entry.startsWith("."))) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  for (const part of ["package.json", "dist", "plugins", "runtime-wasm/dist"]) cpSync(join(ROOT, part), join(modules, "tidemark", part), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "dependencies": { "tidemark": "*" } }');
}

describe("settings files", () => {
  it.each([["README.md"], ["node.md"]])("the one of %s starts a server", { timeout: 60_000 }, async (name) => {
    const folder = newFolder();
    const [settings = ""] = blocks(name, "toml");
    // The machine's own folders and port are not the test's to use; everything else stays as it is written.
    writeFileSync(join(folder, "tidemark.toml"), settings.replaceAll("/var/lib/tidemark", join(folder, "lib")).replace('http-bind = "0.0.0.0:8181"\n', ""));
    await starts(process.execPath, [PROGRAM_PATH, "serve", "--config", "tidemark.toml"], folder);
    expect(existsSync(join(folder, "lib"))).toBe(true);
  });
});

describe.each([["deno.md", "deno"], ["bun.md", "bun"]] as const)("%s", (name, runtime) => {
  it("its command starts a server", { timeout: 60_000 }, async () => {
    const folder = newFolder();
    installInto(folder);
    const line = (blocks(name, "sh")[0] ?? "").split("\n").find((text) => text.startsWith(`${runtime} `)) ?? "";
    const [program, ...words] = line.split(" ");
    expect(program).toBe(runtime);
    await starts(COMMANDS[runtime][0] as string, words, folder);
  });
});

describe("every flag that a guide names", () => {
  const known = new Set(SERVE_FLAGS.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]));
  it.each(readdirSync(join(ROOT, "docs/deploy")).filter((name) => name.endsWith(".md")))("of serve exists: %s", (name) => {
    const commands = [...blocks(name, "sh"), ...blocks(name, "ini"), ...blocks(name, "dockerfile")].join("\n").split("\n").filter((line) => line.includes("serve"));
    const flags = commands.flatMap((line) => [...line.slice(line.indexOf("serve")).matchAll(/--([a-z0-9-]+)/g)].map((match) => match[1] as string));
    expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    const keys = blocks(name, "toml").flatMap((text) => [...text.matchAll(/^([a-z0-9-]+) =/gm)].map((match) => match[1] as string));
    expect(keys.filter((key) => !known.has(key))).toEqual([]);
  });
});
