import { isLoopback } from "../../core/config/bind-address.ts";
import { parseServeConfig, type ServeConfig, type ServeSurroundings } from "../../core/config/serve-config.ts";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { banner } from "../banner.ts";
import { readConfigFile } from "../config-file.ts";
import type { Command, CommandContext } from "../command.ts";
import type { ParsedArguments } from "../parsed-arguments.ts";
import { NAMES_WITHOUT_EFFECT, REFUSED_NAMES, SERVE_FLAGS } from "../serve-flags.ts";
import { runUntilStopped } from "../run-server.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../usage-error.ts";

interface Defaults {
  readonly authentication: ServeSurroundings["defaultAuthentication"];
  /** Undefined: the user must name it. */
  readonly nodeId: string | undefined;
  readonly dataDir: string;
  /** How commands are called in the hints of the banner. */
  readonly program: string;
}

/** Spec: cli §3. */
export const serve: Command = {
  summary: "Run the server",
  details: "Every request needs a token. The first one is made with 'influxdb3 create token --admin'; until then nothing else is answered.",
  flags: SERVE_FLAGS,
  examples: [
    { note: "Data in ~/.influxdb, plugins in ~/.plugins", line: "influxdb3 serve --node-id node0 --object-store file --plugin-dir ~/.plugins" },
    { note: "Settings from a file: one line per flag, as in  http-bind = \"127.0.0.1:8181\"", line: "influxdb3 serve --config /etc/tidemark.toml" },
    { note: "Data in a bucket, keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", line: "influxdb3 serve --node-id node0 --object-store s3 --bucket my-data --aws-default-region eu-central-1" },
    { note: "Nothing on disk", line: "influxdb3 serve --node-id node0 --object-store memory" },
  ],
  run: ({ arguments: given, terminal }) =>
    start(given, terminal, { authentication: "tokens", nodeId: undefined, dataDir: `${terminal.homeDir}/.influxdb`, program: "influxdb3" }),
};

/** What `npm start` runs. */
export const dev: Command = {
  summary: "Run a server for trying things out, no settings needed",
  details: "Everything is kept in .tidemark in the current folder; only this machine can reach the server.",
  flags: SERVE_FLAGS,
  examples: [{ note: "Start on another port", line: "influxdb3 dev --http-bind 127.0.0.1:9000" }],
  run: ({ arguments: given, terminal }) =>
    start(given, terminal, { authentication: "this-machine", nodeId: "local", dataDir: `${terminal.workDir}/.tidemark`, program: "npx influxdb3" }),
};

/** No command at all (spec: cli §1 "No sub-command"). */
export const quickStart: Command = {
  ...serve,
  run: ({ arguments: given, terminal }: CommandContext) => {
    const nodeId = terminal.hostName === "" ? "primary-node" : `${terminal.hostName}-node`;
    if (!given.isSet("node-id") && !given.isSet("node-id-from-env")) {
      terminal.stderr(`Using auto-generated node id: ${nodeId}. For production deployments, explicitly set --node-id\n`);
    }
    return start(given, terminal, { authentication: "tokens", nodeId, dataDir: `${terminal.homeDir}/.influxdb`, program: "influxdb3" });
  },
};

async function start(given: ParsedArguments, terminal: Terminal, defaults: Defaults): Promise<void> {
  const startedMs = terminal.nowMs();
  const settings = await withConfigFile(given, terminal);
  const config = readConfig(settings, terminal, defaults);
  const platform = await import("../../platform/serve.ts");
  const server = await platform.serve(config, {
    stdout: (text) => void terminal.stdout(text),
    stderr: (text) => terminal.stderr(text),
    env: (name) => terminal.env(name),
  });
  // Before anybody is told that the server is there: a signal would end the process without closing it until then.
  const stopped = runUntilStopped(server, terminal, config.shutdownTimeoutMs);
  const listenerFile = settings.text("tcp-listener-file-path");
  if (listenerFile !== undefined) await writeAddress(terminal, listenerFile, server.url);
  terminal.stderr(banner(config, { url: server.url, hasTokens: server.hasTokens, startMs: terminal.nowMs() - startedMs, program: defaults.program }));
  await stopped;
}

/** The settings with those of `--config` below them. */
async function withConfigFile(given: ParsedArguments, terminal: Terminal): Promise<ParsedArguments> {
  const path = given.text("config");
  if (path === undefined) return given;
  const bytes = await terminal.readFile(terminal.resolvePath(path)).catch((error: unknown) => {
    throw new DatabaseError("server.misconfigured", { message: `The settings file "${path}" cannot be read: ${messageOf(error)}`, hint: "check the path after --config", cause: error });
  });
  return given.withDefaults(readConfigFile(new TextDecoder().decode(bytes), path, SERVE_FLAGS.filter(({ name }) => name !== "config")));
}

/** Throws what `parseServeConfig` throws, and `cli.usage`. */
export function readConfig(given: ParsedArguments, terminal: Terminal, defaults: Defaults): ServeConfig {
  refuseUnsupported(given);
  const hasNodeId = given.isSet("node-id") || given.isSet("node-id-from-env") || defaults.nodeId !== undefined;
  if (!hasNodeId) {
    throw usageError("the following required arguments were not provided:\n  <--node-id <ID>|--node-id-from-env <VAR>>");
  }
  const around: ServeSurroundings = {
    defaultDataDir: defaults.dataDir,
    defaultNodeId: defaults.nodeId,
    logIsTerminal: given.text("log-destination") === "stderr" ? terminal.stderrIsTerminal : terminal.stdoutIsTerminal,
    defaultAuthentication: defaults.authentication,
    resolvePath: (path) => terminal.resolvePath(path),
    env: (name) => terminal.env(name),
  };
  const config = parseServeConfig(given, around);
  for (const warning of warningsOf(given, config)) terminal.stderr(`warning: ${warning}\n`);
  return config;
}

function refuseUnsupported(given: ParsedArguments): void {
  if (given.isSet("cluster-id")) {
    throw usageError("a cluster-id was specified, but it is a parameter of InfluxDB 3 Enterprise", "remove --cluster-id");
  }
  const refused = REFUSED_NAMES.filter((name) => given.isSet(name));
  if (refused.length === 0) return;
  throw new DatabaseError("server.misconfigured", {
    message: `${listFlags(refused)} cannot be honoured yet`,
    hint: "remove it; docs/compatibility.md lists what works today",
  });
}

function warningsOf(given: ParsedArguments, config: ServeConfig): readonly string[] {
  const withoutEffect = NAMES_WITHOUT_EFFECT.filter((name) => given.isSet(name));
  return [
    ...(withoutEffect.length === 0 ? [] : [`accepted without effect: ${listFlags(withoutEffect)}`]),
    ...(isLoopback(config.bind.host) || config.authentication === "tokens"
      ? []
      : [`listening on ${config.bind.host} without authentication: everyone who reaches it may read, write and run plugins`]),
  ];
}

function listFlags(names: readonly string[]): string {
  return names.map((name) => `--${name}`).join(", ");
}

async function writeAddress(terminal: Terminal, path: string, url: string): Promise<void> {
  const file = await terminal.openFile(path);
  await file.write(new TextEncoder().encode(new URL(url).host));
  await file.close();
}
