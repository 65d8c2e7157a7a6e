/**
 * From words to an exit status: walks the command tree, prints help and version, runs the command, and turns what was
 * thrown into the texts of spec cli §1. Never prints a stack.
 */
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import { INFLUXDB_VERSION, TIDEMARK_VERSION } from "../core/version.ts";
import type { Command, CommandNode, FlagSpec } from "./command.ts";
import { commandHelp, groupHelp, groupUsageLine, usageLine } from "./help.ts";
import { neutralLayout } from "../core/text/neutral.ts";
import { nearestWord } from "./nearest.ts";
import { parseArguments } from "./parse.ts";
import { PROGRAM } from "./program.ts";
import { styleFor } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { renderUsageError, usageError } from "./usage-error.ts";

const EXIT = { done: 0, failed: 1, misused: 2 } as const;

/** The reference's runtime knobs; they stand before the command and mean nothing here (spec: cli §1). */
const RUNTIME_FLAGS: ReadonlyMap<string, boolean> = new Map([
  ["--num-io-threads", true],
  ["--io-runtime-type", true],
  ["--io-runtime-disable-lifo-slot", false],
  ["--io-runtime-event-interval", true],
  ["--io-runtime-global-queue-interval", true],
  ["--io-runtime-max-blocking-threads", true],
  ["--io-runtime-max-io-events-per-tick", true],
  ["--io-runtime-thread-keep-alive", true],
  ["--io-runtime-thread-priority", true],
]);

/** Where the words lead: a node, the way to it, and what is left. */
interface Target {
  readonly node: CommandNode;
  readonly path: readonly string[];
  readonly verb: string;
  readonly rest: readonly string[];
}

/** The exit status. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const own = withoutRuntimeFlags(words);
  const target = findTarget(own);
  if (target.node === PROGRAM && (own[0] === "--version" || own[0] === "-V")) {
    await terminal.stdout(`influxdb3 (Tidemark) ${TIDEMARK_VERSION}, speaks InfluxDB ${INFLUXDB_VERSION}\n`);
    return EXIT.done;
  }
  if (target.node.load === undefined && own.length > 0) return explainGroup(target, terminal);
  return runLeaf(target, terminal);
}

function withoutRuntimeFlags(words: readonly string[]): readonly string[] {
  let index = 0;
  for (let word = words[index]; word !== undefined; word = words[index]) {
    const hasValue = RUNTIME_FLAGS.get(word.split("=")[0] as string);
    if (hasValue === undefined) break;
    index += hasValue && !word.includes("=") ? 2 : 1;
  }
  return words.slice(index);
}

function findTarget(words: readonly string[]): Target {
  let target: Target = { node: PROGRAM, path: [PROGRAM.name], verb: "", rest: words };
  for (;;) {
    const [word, ...rest] = target.rest;
    const child = target.node.children?.find(({ name, alias }) => word !== undefined && (name === word || alias === word));
    if (child === undefined) return target;
    target = { node: child, path: [...target.path, child.name], verb: child.verb ?? target.verb, rest };
  }
}

/** A group alone, with a help flag, or with a word that is none of its commands. */
async function explainGroup({ node, path, rest }: Target, terminal: Terminal): Promise<number> {
  const word = rest[0];
  const isHelp = word === "-h" || word === "--help" || word === "--help-all";
  if (word === undefined || isHelp) {
    const style = styleFor(isHelp ? terminal.stdoutIsTerminal : terminal.stderrIsTerminal, (name) => terminal.env(name));
    const text = groupHelp(node, { path, isLong: word === "--help-all", style });
    if (isHelp) await terminal.stdout(text);
    else terminal.stderr(text);
    return isHelp ? EXIT.done : EXIT.misused;
  }
  terminal.stderr(renderUsageError(unknownWord(word, node), groupUsageLine(path)));
  return EXIT.misused;
}

function unknownWord(word: string, node: CommandNode): DatabaseError {
  if (word.startsWith("-")) {
    const near = nearestWord(word.replace(/^-+/, ""), ["help", "help-all", "version"]);
    return usageError(`unexpected argument '${word}' found`, near === undefined ? undefined : `a similar argument exists: '--${near}'`);
  }
  const near = nearestWord(word, (node.children ?? []).map(({ name }) => name));
  const tip = near === undefined ? undefined : `a similar subcommand exists: '${near}'`;
  return usageError(`unrecognized subcommand '${word}'`, tip);
}

async function runLeaf(target: Target, terminal: Terminal): Promise<number> {
  const { path, rest } = target;
  const isQuickStart = target.node.load === undefined;
  const verb = isQuickStart ? "Serve" : target.verb;
  const command = isQuickStart ? (await import("./commands/serve.ts")).quickStart : await (target.node.load as () => Promise<Command>)();
  const help = helpWord(rest, command.flags);
  if (help !== undefined) {
    const style = styleFor(terminal.stdoutIsTerminal, (name) => terminal.env(name));
    await terminal.stdout(commandHelp(command, { path, isLong: help === "--help-all", style }));
    return EXIT.done;
  }
  try {
    const words = command.takesAnything === true ? [] : rest;
    const given = parseArguments(command, words, (name) => terminal.env(name));
    await command.run({ arguments: given, terminal });
    return EXIT.done;
  } catch (error) {
    return report(error, verb, usageLine(path, command), terminal);
  }
}

/** The help flag among the words, unless it is the value of the flag before it. */
function helpWord(words: readonly string[], flags: readonly FlagSpec[]): string | undefined {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).find((word, index) => {
    if (word === "--help" || word === "--help-all") return true;
    const before = words[index - 1] ?? "";
    const takesIt = flags.some((flag) => flag.value !== undefined && (before === `--${flag.name}` || before === `-${flag.short}`));
    return word === "-h" && !takesIt;
  });
}

function report(error: unknown, verb: string, usage: string, terminal: Terminal): number {
  if (isDatabaseError(error) && error.code === "cli.usage") {
    terminal.stderr(renderUsageError(error, usage));
    return EXIT.misused;
  }
  const style = styleFor(terminal.stderrIsTerminal, (name) => terminal.env(name));
  terminal.stderr(`${style.red(`${verb} command failed:`)} ${neutralLayout(messageOf(error))}\n`);
  const hint = isDatabaseError(error) ? error.hint : "this is a fault of Tidemark: please report it";
  if (hint !== undefined) terminal.stderr(`${style.bold("hint:")} ${neutralLayout(hint)}\n`);
  return EXIT.failed;
}
