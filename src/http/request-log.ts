/**
 * One line of the server's log a request: failures of the server always, every request at debug level. Never the query
 * string or a header: tokens stand there.
 */
import type { LogSink } from "../ports/log-sink.ts";

export interface RequestLogRules {
  readonly log: LogSink;
  /** A new UUID (version 7). */
  readonly newRequestId: () => string;
  /** On a clock that never goes back. */
  readonly monotonicMs: () => number;
  /** Log successes and refusals too. */
  readonly logsRequests?: boolean;
}

export interface AnsweredRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** When it came in, on the rules' clock. */
  readonly startedMs: number;
  /** What was thrown, where the server failed. */
  readonly error?: unknown;
}

const SERVER_FAULT = 500;
const PATH_LENGTH_MAX = 200;

/** Headers that let the caller name the failed request to the operator; none where nothing was logged. */
export function logRequest(rules: RequestLogRules, request: AnsweredRequest): Readonly<Record<string, string>> {
  const failed = request.status >= SERVER_FAULT;
  if (!failed && rules.logsRequests !== true) return {};
  const requestId = rules.newRequestId();
  const { method, path, status, error } = request;
  const durationMs = Math.round((rules.monotonicMs() - request.startedMs) * 1_000) / 1_000;
  rules.log.log(failed ? "warn" : "debug", `${method} ${path.slice(0, PATH_LENGTH_MAX)}`, { status, durationMs, requestId, ...causeOf(error) });
  return failed ? { "x-request-id": requestId } : {};
}

/** The stack only of faults of ours: a plugin's traceback is in its own log. */
function causeOf(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return {};
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const isOurs = !("fault" in error) || error.fault === "internal";
  return { error: error.message, ...code, ...(isOurs ? { stack: error.stack ?? "" } : {}) };
}
