/** The report of a plugin's test run as a person reads it: outcome, log, what would have been written, where it failed. */
import { neutralLayout, neutralLine } from "../core/text/neutral.ts";
import type { Style } from "./style.ts";

/** What the server answers; members are checked where they are used, since it may be another version. */
interface Report {
  readonly log_lines?: readonly string[];
  readonly database_writes?: Readonly<Record<string, readonly string[]>>;
  readonly errors?: readonly string[];
  readonly traceback?: string | null;
  readonly error_file?: string | null;
  readonly error_line?: number | null;
  readonly duration_ms?: number;
  readonly memory_bytes?: number;
  readonly trigger_time?: string | null;
  readonly response?: Response | null;
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly body_base64?: string;
}

/** Lines shown of each database and of a body; `--format json` has all. */
const LINES_SHOWN_MAX = 20;

/** The run's own frame: the first line of the report says the same. */
const FRAME = /^INFO: (?:starting execution (?:of \w+ plugin\.|with scheduled time .*)|finished execution in .*)$/;

export function formatTestReport(fileName: string, answer: unknown, style: Style): string {
  const report = neutralValues(typeof answer === "object" && answer !== null ? answer : {}) as Report;
  const sections = [
    [headline(fileName, report, style)],
    log(report.log_lines ?? [], style),
    response(report.response, style),
    writes(report, style),
    errors(report, style),
  ];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** The plugin's words, wherever they stand. */
function neutralValues(value: unknown): unknown {
  if (typeof value === "string") return neutralLayout(value);
  if (Array.isArray(value)) return value.map(neutralValues);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [neutralLine(name), neutralValues(member)]));
}

function headline(fileName: string, { errors: found = [], duration_ms: duration, memory_bytes: memory, trigger_time: time }: Report, style: Style): string {
  const outcome = found.length === 0 ? style.bold("ok") : style.red(`${found.length} ${found.length === 1 ? "error" : "errors"}`);
  const cost = duration === undefined || memory === undefined || memory === 0 ? "" : style.dim(`  ${formatMs(duration)}, ${(memory / 1_048_576).toFixed(1)} MiB of memory`);
  const nominal = typeof time === "string" ? style.dim(`  called for ${time}`) : "";
  return `${style.bold(fileName)}: ${outcome}${cost}${nominal}`;
}

const formatMs = (ms: number): string => (ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`);

function log(lines: readonly string[], style: Style): string[] {
  const own = lines.filter((line) => !FRAME.test(line));
  if (own.length === 0) return [];
  return [style.bold("Log"), ...own.flatMap((line) => logLine(line, style))];
}

function logLine(line: string, style: Style): string[] {
  const [, level = "", text = line] = /^(INFO|WARN|ERROR): ([^]*)$/.exec(line) ?? [];
  const paint = level === "ERROR" ? style.red : level === "WARN" ? style.yellow : style.dim;
  return text.split("\n").map((part, index) => `  ${index === 0 ? paint(level.padEnd(5)) : "     "}  ${part}`);
}

function response(found: Report["response"], style: Style): string[] {
  if (found === undefined || found === null) return [];
  const headers = Object.entries(found.headers).map(([name, value]) => `  ${style.dim(`${name}: ${value}`)}`);
  const body = found.body === undefined ? [`(${Buffer.from(found.body_base64 ?? "", "base64").length} bytes that are no text)`] : found.body.split("\n");
  return [style.bold(`Response ${found.status}`), ...headers, ...shown(body, style)];
}

function writes({ database_writes: found = {} }: Report, style: Style): string[] {
  const databases = Object.entries(found);
  if (databases.length === 0) return [style.dim("Nothing would have been written.")];
  return [
    style.bold("Would have been written"),
    ...databases.flatMap(([database, lines]) => [`  to ${style.bold(database)}, ${lines.length} ${lines.length === 1 ? "line" : "lines"}`, ...shown(lines, style, "    ")]),
  ];
}

function shown(lines: readonly string[], style: Style, margin = "  "): string[] {
  const rest = lines.length - LINES_SHOWN_MAX;
  return [...lines.slice(0, LINES_SHOWN_MAX).map((line) => margin + line), ...(rest > 0 ? [margin + style.dim(`… and ${rest} more; --format json shows all`)] : [])];
}

function errors({ errors: found = [], traceback, error_file: file, error_line: line }: Report, style: Style): string[] {
  if (found.length === 0) return [];
  const place = typeof file === "string" && typeof line === "number" ? ` at ${file}, line ${line}` : "";
  const trace = typeof traceback === "string" ? traceback.trimEnd().split("\n").map((text) => style.dim(`  ${text}`)) : [];
  return [style.red(`Failed${place}`), ...found.flatMap((text) => text.split("\n").map((part) => `  ${part}`)), ...(trace.length === 0 ? [] : ["", ...trace])];
}
