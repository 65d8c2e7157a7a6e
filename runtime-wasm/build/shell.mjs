/** Running of the build's commands: each step's output goes to a log file of its own, whose end is shown when it fails. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const LOG_LINES_SHOWN = 25;

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** npm puts a wasm-opt there; clang would run any that it finds, so the linked module would depend on who starts the build. */
const PATH = (process.env.PATH ?? "").split(delimiter).filter((folder) => !existsSync(join(folder, "wasm-opt"))).join(delimiter);

/** Runs a command and waits; throws with the end of its log when it fails. */
export function run(workFolder, logName, command, parameters, { cwd = workFolder, environment = {} } = {}) {
  const logFile = join(workFolder, "logs", `${logName}.log`);
  mkdirSync(join(workFolder, "logs"), { recursive: true });
  const log = openSync(logFile, "a");
  const outcome = spawnSync(command, parameters, { cwd, env: { ...process.env, PATH, ...environment }, stdio: ["ignore", log, log] });
  closeSync(log);
  if (outcome.error !== undefined) throw new Error(`${command} cannot be run: ${outcome.error.message}`);
  if (outcome.status !== 0) {
    const end = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
    throw new Error(`${command} failed with status ${outcome.status}; the end of ${logFile}:\n${end}`);
  }
}

/** First line that a command prints; undefined when it is not installed. */
export function firstLineOf(command, parameters) {
  const outcome = spawnSync(command, parameters, { encoding: "utf8" });
  return outcome.status === 0 ? outcome.stdout.split("\n")[0].trim() : undefined;
}

/**
 * Runs `work` unless the same step was completed before with the same `key` (what the step depends on). A step that is
 * run starts with `folder` empty.
 */
export function step(workFolder, name, key, folder, work) {
  const stamp = join(workFolder, "stamps", name);
  const wanted = sha256(JSON.stringify(key));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.log(`${name} ...`);
  const start = performance.now();
  rmSync(stamp, { force: true });
  if (folder !== undefined) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  work();
  mkdirSync(join(workFolder, "stamps"), { recursive: true });
  writeFileSync(stamp, wanted);
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
