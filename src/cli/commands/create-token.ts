/** `create token --admin` (spec: cli §4). */
import { parseDuration } from "../../core/config/humantime.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { OPERATOR_TOKEN_NAME, TOKEN_PREFIX, TOKEN_RANDOM_BYTES } from "../../core/tokens/token.ts";
import { Client, readText } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { CLIENT_FLAGS } from "../common-flags.ts";
import type { ParsedArguments } from "../parsed-arguments.ts";
import { styleFor } from "../style.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../usage-error.ts";

const PATH = "/api/v3/configure/token";
const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const ANSWER_SIZE_MAX = 65_536;

export const createToken: Command = {
  summary: "Create an admin token",
  details:
    "The first admin token needs no other one; it can be made once. Named admin tokens and a new operator token need --token.\nA token is shown this once and is stored only as a hash.",
  flags: [
    { name: "admin", summary: "An admin token; the only kind there is" },
    { name: "name", value: "NAME", summary: "A named admin token" },
    { name: "expiry", value: "DURATION", summary: "How long the named token is good, such as 30d", check: checkDuration },
    { name: "regenerate", summary: "Replace the operator token; the old one is dead at once", conflictsWith: "name" },
    { name: "offline", summary: "Make a token file for --admin-token-file, without a server", conflictsWith: "regenerate" },
    { name: "output-file", value: "FILE", summary: "Where --offline writes the token; only its owner may read it" },
    { name: "format", value: "FORMAT", summary: "How to print the token", choices: ["text", "json"], defaultText: "text" },
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "The first token of a server", line: "influxdb3 create token --admin" },
    { note: "One more, good for 30 days", line: "influxdb3 create token --admin --name ci --expiry 30d --token $ADMIN_TOKEN" },
    { note: "A file for serve --admin-token-file", line: "influxdb3 create token --admin --offline --output-file admin-token.json" },
  ],
  async run(context) {
    const { arguments: given, terminal } = context;
    checkUse(given);
    const token = given.isSet("offline") ? await makeOffline(context) : await askServer(context);
    await terminal.stdout(given.text("format") === "json" ? asJson(token) : asText(token, terminal));
  },
};

function checkDuration(value: string): string | undefined {
  const ns = parseDuration(value);
  return ns !== undefined && ns >= NS_PER_SECOND ? undefined : "it is not a duration of at least a second, such as 30d or 12h";
}

function checkUse(given: ParsedArguments): void {
  if (!given.isSet("admin")) throw usageError("Missing required subcommand. Use: influxdb3 create token --admin [OPTIONS]");
  if (given.isSet("expiry") && given.text("name") === undefined) throw usageError("--expiry needs --name: the operator token does not expire");
  if (given.isSet("offline") !== given.isSet("output-file")) throw usageError("--offline and --output-file go together");
}

async function askServer({ arguments: given, terminal }: CommandContext): Promise<string> {
  if (given.isSet("regenerate")) await confirmRegeneration(terminal);
  const name = given.text("name");
  const expiry = given.text("expiry");
  const expirySeconds = expiry === undefined ? undefined : Number((parseDuration(expiry) ?? 0n) / NS_PER_SECOND);
  const named = { token_name: name, ...(expirySeconds === undefined ? {} : { expiry_secs: expirySeconds }) };
  const path = given.isSet("regenerate") ? `${PATH}/admin/regenerate` : name === undefined ? `${PATH}/admin` : `${PATH}/named_admin`;
  const response = await new Client(given, terminal).call({ method: "POST", path, ...(name === undefined ? {} : { json: named }) });
  const body = JSON.parse(await readText(response.body, ANSWER_SIZE_MAX)) as { readonly token?: unknown };
  if (typeof body.token !== "string") throw new DatabaseError("cli.failed", { message: "the server answered without a token", hint: "check --host: another program may listen there" });
  return body.token;
}

async function confirmRegeneration(terminal: Terminal): Promise<void> {
  await terminal.stdout("Are you sure you want to regenerate admin token? Enter 'yes' to confirm\n");
  if ((await terminal.readLine())?.trim() === "yes") return;
  throw new DatabaseError("cli.failed", { message: "Cannot regenerate token without confirmation", hint: "answer yes" });
}

async function makeOffline({ arguments: given, terminal }: CommandContext): Promise<string> {
  const token = TOKEN_PREFIX + Buffer.from(terminal.randomBytes(TOKEN_RANDOM_BYTES)).toString("base64url");
  const expiry = given.text("expiry");
  const lifeMs = expiry === undefined ? undefined : Number((parseDuration(expiry) ?? 0n) / NS_PER_MS);
  const content = { token, name: given.text("name") ?? OPERATOR_TOKEN_NAME, ...(lifeMs === undefined ? {} : { expiry_millis: terminal.epochMs() + lifeMs }) };
  const file = given.requiredText("output-file");
  await terminal.writeSecretFile(terminal.resolvePath(file), `${JSON.stringify(content, null, 2)}\n`);
  await terminal.stdout(`Token saved to: ${file}\n`);
  return token;
}

function asText(token: string, terminal: Terminal): string {
  const style = styleFor(terminal.stdoutIsTerminal, (name) => terminal.env(name));
  return [
    "",
    style.bold("New token created successfully!"),
    "",
    `${style.bold("Token:")} ${token}`,
    `${style.bold("HTTP Requests Header:")} Authorization: Bearer ${token}`,
    "",
    `${style.yellow("IMPORTANT:")} Store this token securely, as it will not be shown again.`,
    "",
    "",
  ].join("\n");
}

function asJson(token: string): string {
  const help = `Store this token securely, as it will not be shown again. HTTP requests require the following header: "Authorization: Bearer ${token}"`;
  return `${JSON.stringify({ help_msg: help, token }, null, 2)}\n`;
}
