/** A real server process for tests: started from the built program on loopback, on a port of its own, in a temporary folder. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = join(ROOT, "dist", "influxdb3.js");
export const PROGRAM_PATH = PROGRAM;
const START_MS_MAX = 30_000;
const POLL_MS = 20;

export type RuntimeName = "node" | "deno" | "bun";

export const COMMANDS: Readonly<Record<RuntimeName, readonly string[]>> = {
  node: [process.execPath],
  deno: [join(ROOT, "node_modules", ".bin", "deno"), "run", "-A", "--quiet", "--no-lock"],
  bun: [join(ROOT, "node_modules", ".bin", "bun")],
};

export interface TestServer {
  readonly url: string;
  readonly folder: string;
  readonly process: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Sends the signal and resolves to the exit code (null: killed). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  readonly runtime?: RuntimeName;
  /** A folder of an earlier server: its data are replayed. */
  readonly folder?: string;
  readonly flags?: readonly string[];
  /** How long the start may take; default 30 s. */
  readonly startMsMax?: number;
  /** Variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ask for tokens, as a server does unless it is told otherwise. */
  readonly tokens?: boolean;
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "tidemark-test-"));

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `probe` gives a value; fails loudly after `msMax`. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined> | T | undefined, msMax = 15_000): Promise<T> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Waited ${msMax} ms in vain for ${what}`);
    await pause(POLL_MS);
  }
}

export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const folder = options.folder ?? temporaryFolder();
  const listener = join(folder, "listener");
  rmSync(listener, { force: true });
  const [command, ...prefix] = COMMANDS[options.runtime ?? "node"];
  const flags = ["serve", "--node-id", "node0", ...(options.flags?.includes("--object-store") === true ? [] : ["--object-store", "file"]), "--data-dir", join(folder, "data"), "--http-bind", "127.0.0.1:0", ...(options.tokens === true ? [] : ["--without-auth"]), "--tcp-listener-file-path", listener];
  const child = spawn(command as string, [...prefix, PROGRAM, ...flags, ...(options.flags ?? [])], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1", ...options.env } });
  let output = "";
  child.stdout?.on("data", (data) => (output += String(data)));
  child.stderr?.on("data", (data) => (output += String(data)));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const address = await eventually(
    "the server to listen",
    () => {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}:\n${output}`);
      const text = existsSync(listener) ? readFileSync(listener, "utf8").trim() : "";
      return text === "" ? undefined : text;
    },
    options.startMsMax ?? START_MS_MAX,
  ).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`${String(error)}\n${output}`);
  });
  return {
    url: `${options.flags?.includes("--tls-cert") === true ? "https" : "http"}://${address.replace("0.0.0.0", "127.0.0.1")}`,
    folder,
    process: child,
    output: () => output,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return exited;
    },
  };
}

/** Runs the command line against a server and resolves to what it printed. */
export function runCli(args: readonly string[], options: { readonly env?: Record<string, string>; readonly cwd?: string; readonly stdin?: string } = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["pipe", "pipe", "pipe"], cwd: options.cwd, env: { ...process.env, NO_COLOR: "1", ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  child.stdin.end(options.stdin ?? "");
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export async function post(server: TestServer, path: string, body: string | object): Promise<Answer> {
  const json = typeof body !== "string";
  const response = await fetch(server.url + path, { method: "POST", body: json ? JSON.stringify(body) : body, headers: json ? { "content-type": "application/json" } : {} });
  return { status: response.status, text: await response.text() };
}

/** Rows of a query; undefined when it was refused. */
export async function queryRows(server: TestServer, database: string, sql: string): Promise<Record<string, unknown>[] | undefined> {
  const response = await fetch(`${server.url}/api/v3/query_sql?db=${encodeURIComponent(database)}&format=json&q=${encodeURIComponent(sql)}`);
  const text = await response.text();
  return response.status === 200 ? (JSON.parse(text) as Record<string, unknown>[]) : undefined;
}

/** Creates a trigger on a bundled or written plugin and throws what the server answered otherwise. */
export async function createTrigger(server: TestServer, trigger: { database: string; name: string; specification: string; plugin: string; errorBehavior?: string; arguments?: Record<string, string> }): Promise<void> {
  const answer = await post(server, "/api/v3/configure/processing_engine_trigger", {
    db: trigger.database,
    trigger_name: trigger.name,
    plugin_filename: trigger.plugin,
    trigger_specification: trigger.specification,
    trigger_settings: { run_async: false, error_behavior: trigger.errorBehavior ?? "log" },
    trigger_arguments: trigger.arguments ?? null,
    disabled: false,
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
}
