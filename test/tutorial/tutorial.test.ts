// Goal: what tutorials say works word for word. Method: a shell with the built program as `influxdb3` on its PATH and a
// home folder of its own; only the port comes from the environment.
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, PROGRAM_PATH, removeFolder, temporaryFolder } from "../support/server.ts";
import { TUTORIAL_PLUGIN } from "../support/tutorial.ts";

const home = temporaryFolder();
const listener = join(home, "listener");
let server: ChildProcess;
let output = "";
let env: NodeJS.ProcessEnv;

function sh(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn("sh", ["-c", command], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

beforeAll(async () => {
  mkdirSync(join(home, "bin"));
  const wrapper = join(home, "bin", "influxdb3");
  writeFileSync(wrapper, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM_PATH}" "$@"\n`);
  chmodSync(wrapper, 0o755);
  env = { ...process.env, HOME: home, NO_COLOR: "1", PATH: `${join(home, "bin")}:${process.env["PATH"]}`, INFLUXDB3_HTTP_BIND_ADDR: "127.0.0.1:0", INFLUXDB3_TCP_LISTENER_FILE_PATH: listener };
  server = spawn("sh", ["-c", "exec influxdb3 serve --node-id node0 --object-store file --plugin-dir ~/.plugins"], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  server.stdout?.on("data", (data) => (output += String(data)));
  server.stderr?.on("data", (data) => (output += String(data)));
  const address = await eventually("the server to listen", () => (existsSync(listener) ? readFileSync(listener, "utf8").trim() || undefined : undefined), 30_000);
  env["INFLUXDB3_HOST_URL"] = `http://${address}`;
});

afterAll(() => {
  server.kill("SIGKILL");
  removeFolder(home);
});

describe("the tutorial", () => {
  it("starts with its own serve command, in the user's home folder", async () => {
    // The lines are printed a moment after the server listens.
    await eventually("the server's first lines", () => (output.includes("listens on") ? true : undefined));
    expect(output).toContain("listens on");
    expect(readdirSync(join(home, ".influxdb"))).toContain("node0");
    expect(existsSync(join(home, ".plugins"))).toBe(true);
  });

  it("makes the first token, runs its four commands and fires the bundled plugin", async () => {
    const token = await sh("influxdb3 create token --admin --format json");
    env["INFLUXDB3_AUTH_TOKEN"] = (JSON.parse(token.stdout) as { token: string }).token;
    expect((await sh("influxdb3 create database my_database")).stdout).toContain('Database "my_database" created successfully');
    const created = await sh('influxdb3 create trigger --trigger-spec "all_tables" --plugin-filename tutorial/process_writes.py --database my_database first_light');
    expect([created.code, created.stdout]).toEqual([0, "Trigger first_light created successfully\n"]);
    expect((await sh("influxdb3 write --database my_database 'home,room=kitchen temp=21.5,hum=40i'")).code).toBe(0);
    const table = await eventually("the derived row", async () => {
      const { stdout } = await sh("influxdb3 query --database my_database 'SELECT * FROM processed_data'");
      return stdout.includes("| home ") ? stdout : undefined;
    });
    expect(table).toMatch(/^\+-+\+-+\+-+\+\n\| row_count \| source_table +\| time +\|\n/);
    expect(table).toMatch(/\| 1 +\| home +\| \d{4}-\d\d-\d\dT[\d:.]+ +\|/);
  });

  it("runs the plugin text that users paste, unchanged, from their plugin folder", async () => {
    // The first one sees every table, and would count these rows too.
    expect((await sh("influxdb3 delete trigger first_light --database my_database --force")).code).toBe(0);
    writeFileSync(join(home, ".plugins", "pasted.py"), TUTORIAL_PLUGIN);
    expect((await sh('influxdb3 create trigger --trigger-spec "table:pasted" --path pasted.py --database my_database pasted')).code).toBe(0);
    expect((await sh("influxdb3 write --database my_database 'pasted f=1\npasted,t=a f=2'")).code).toBe(0);
    await eventually("its row", async () => {
      const { stdout } = await sh("influxdb3 query --database my_database --format json \"SELECT row_count FROM processed_data WHERE source_table = 'pasted'\"");
      return stdout.trim() === '[{"row_count":2}]' ? true : undefined;
    });
    const { stdout } = await sh("influxdb3 query --database my_database --format csv \"SELECT log_level, log_text FROM system.processing_engine_logs WHERE trigger_name = 'pasted'\"");
    expect(stdout).toContain("INFO,starting execution of wal plugin.");
    expect(stdout).toContain("INFO,Processing 2 rows from pasted");
  });

  it("stops on Ctrl-C within two seconds", async () => {
    const started = performance.now();
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
