/** Help texts, made from the command data. Plain text of at most 100 columns where the data allows it. */
import type { ArgumentSpec, Command, CommandNode, FlagSpec } from "./command.ts";
import { argumentTitle, flagTitle } from "./parse.ts";
import type { Style } from "./style.ts";

export interface HelpOptions {
  /** The words that lead to the command, beginning with the program. */
  readonly path: readonly string[];
  /** `--help-all`: hidden flags and environment variables too. */
  readonly isLong: boolean;
  readonly style: Style;
}

export function usageLine(path: readonly string[], command: Command): string {
  const required = command.flags.filter((flag) => flag.required === true).map((flag) => ` ${flagTitle(flag)}`);
  const positional = (command.arguments ?? []).map((spec) => ` ${argumentTitle(spec)}`);
  return `Usage: ${path.join(" ")} [OPTIONS]${required.join("")}${positional.join("")}`;
}

export function groupUsageLine(path: readonly string[]): string {
  return `Usage: ${path.join(" ")} [OPTIONS] <COMMAND>`;
}

export function commandHelp(command: Command, options: HelpOptions): string {
  const flags = command.flags.filter((flag) => options.isLong || flag.hidden !== true);
  const hiddenCount = command.flags.length - flags.length;
  const sections = [
    command.summary,
    ...(command.details === undefined ? [] : [command.details]),
    usageLine(options.path, command),
    ...argumentSection(command.arguments ?? [], options),
    section("Options", table([...flags.map((flag) => flagRow(flag, options)), ...helpRows()]), options),
    ...exampleSection(command, options),
    ...(hiddenCount === 0 ? [] : [`${hiddenCount === 1 ? "1 more option is" : `${hiddenCount} more options are`} accepted for compatibility: see --help-all.`]),
  ];
  return `${sections.join("\n\n")}\n`;
}

export function groupHelp(node: CommandNode, options: HelpOptions): string {
  const children = (node.children ?? []).filter((child) => child.hidden !== true);
  const rows = children.map((child): Row => [child.alias === undefined ? child.name : `${child.name}, ${child.alias}`, child.summary]);
  return `${[
    node.summary,
    groupUsageLine(options.path),
    section("Commands", table(rows), options),
    section("Options", table(helpRows()), options),
    `See '${options.path.join(" ")} <COMMAND> --help' for the options and examples of a command.`,
  ].join("\n\n")}\n`;
}

type Row = readonly [left: string, right: string];

const LEFT_WIDTH_MAX = 34;

function table(rows: readonly Row[]): string {
  const width = Math.min(LEFT_WIDTH_MAX, Math.max(...rows.map(([left]) => left.length)));
  return rows
    .map(([left, right]) =>
      left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`.trimEnd(),
    )
    .join("\n");
}

function section(title: string, body: string, options: HelpOptions): string {
  return `${options.style.bold(`${title}:`)}\n${body}`;
}

function flagRow(flag: FlagSpec, options: HelpOptions): Row {
  const notes = [
    ...(flag.choices === undefined || flag.hasUnavailableChoices === true ? [] : [`one of ${flag.choices.join(", ")}`]),
    ...(flag.defaultText === undefined ? [] : [`default: ${flag.defaultText}`]),
    ...(flag.env === undefined ? [] : [`env: ${options.isLong ? flag.env.join(", ") : flag.env[0]}`]),
    ...(options.isLong && flag.aliases !== undefined ? [`also: ${flag.aliases.map((name) => `--${name}`).join(", ")}`] : []),
  ];
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  return [`${short}${flagTitle(flag)}`, `${flag.summary}${notes.length === 0 ? "" : ` [${notes.join("; ")}]`}`];
}

function helpRows(): readonly Row[] {
  return [
    ["-h, --help", "Print this help"],
    ["    --help-all", "Print help with every option"],
  ];
}

function argumentSection(specs: readonly ArgumentSpec[], options: HelpOptions): readonly string[] {
  if (specs.length === 0) return [];
  return [section("Arguments", table(specs.map((spec): Row => [argumentTitle(spec), spec.summary])), options)];
}

function exampleSection(command: Command, options: HelpOptions): readonly string[] {
  if (command.examples.length === 0) return [];
  const lines = command.examples.map(({ note, line }) => `  ${options.style.dim(`# ${note}`)}\n  ${line}`);
  return [section("Examples", lines.join("\n\n"), options)];
}
