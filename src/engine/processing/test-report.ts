/**
 * What a test run reports (spec: processing-engine §16). The first three members are the reference's; what follows is
 * ours: where in the plugin's file it failed, and what the run cost.
 */
import type { NamedText, PluginCode, PluginResponse, RunOutcome } from "../../ports/plugin-runtime.ts";
import { exceptionText } from "./run-plugin.ts";

/** Answered as JSON as it is. */
export interface TestReport {
  readonly log_lines: readonly string[];
  readonly database_writes: Readonly<Record<string, readonly string[]>>;
  readonly errors: readonly string[];
  /** Python's own; null unless the plugin raised. */
  readonly traceback: string | null;
  /** The last place in the plugin's own files that the traceback names. */
  readonly error_file: string | null;
  readonly error_line: number | null;
  /** Wall time of the run alone. */
  readonly duration_ms: number;
  /** Size of the plugin's memory after the run, the interpreter's own included. */
  readonly memory_bytes: number;
}

export interface ScheduleTestReport extends TestReport {
  /** The nominal time, RFC 3339; null when the plugin was not run or failed. */
  readonly trigger_time: string | null;
}

export interface RequestTestReport extends TestReport {
  /** Null when the plugin failed. `body_base64` in place of `body` when it is not UTF-8. */
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body?: string; readonly body_base64?: string } | null;
}

/** A report of a plugin that was not run. */
export const notRun = (error: string): TestReport => ({
  log_lines: [],
  database_writes: {},
  errors: [error],
  traceback: null,
  error_file: null,
  error_line: null,
  duration_ms: 0,
  memory_bytes: 0,
});

export type Failure = Exclude<RunOutcome, { kind: "done" }>;

export function failureText(outcome: Failure, wallTimeMsMax: number): string {
  switch (outcome.kind) {
    case "raised":
      return `error executing plugin: ${exceptionText(outcome)}`;
    case "failed":
      return `error executing plugin: ${outcome.message}`;
    case "stopped":
      return `error executing plugin: ${outcome.reason === "time-limit" ? `the run passed its time limit of ${wallTimeMsMax} ms and was stopped` : "the run was cancelled"}`;
  }
}

/** Where the plugin failed, by the traceback's frames. */
export function failurePlace(outcome: Failure, code: PluginCode): Pick<TestReport, "traceback" | "error_file" | "error_line"> {
  const traceback = outcome.kind === "failed" || outcome.traceback === undefined || outcome.traceback === "" ? null : outcome.traceback;
  const own = code.source === undefined ? `/plugins/${code.module}/` : code.fileName;
  const frames = [...(traceback ?? "").matchAll(/^ {2}File "([^"\n]+)", line (\d+)/gm)];
  const last = frames.findLast(([, file]) => (code.source === undefined ? file?.startsWith(own) : file === own));
  return {
    traceback,
    error_file: last === undefined ? null : (last[1] ?? "").replace(/^\/plugins\//, ""),
    error_line: last === undefined ? null : Number(last[2]),
  };
}

/** The reference's debug form. */
export function lineErrorText(error: { readonly originalLine: string; readonly lineNumber: number; readonly message: string }): string {
  return `WriteLineError { original_line: ${JSON.stringify(error.originalLine)}, line_number: ${error.lineNumber}, error_message: ${JSON.stringify(error.message)} }`;
}

export function linesByDatabase(writes: readonly (readonly [database: string, lines: string])[]): Record<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [database, lines] of writes) {
    const list = groups.get(database) ?? [];
    groups.set(database, list);
    list.push(...lines.split("\n"));
  }
  return Object.fromEntries(groups);
}

export function responseJson({ status, headers, body }: PluginResponse): RequestTestReport["response"] {
  const base = { status, headers: Object.fromEntries(headers satisfies readonly NamedText[]) };
  try {
    return { ...base, body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { ...base, body_base64: base64Of(body) };
  }
}

const BASE64_PIECE_BYTES = 8_192;

/** In pieces: a call takes a limited number of arguments. */
function base64Of(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += BASE64_PIECE_BYTES) parts.push(String.fromCharCode(...bytes.subarray(at, at + BASE64_PIECE_BYTES)));
  return btoa(parts.join(""));
}
