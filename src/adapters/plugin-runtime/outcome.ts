/** From what an executor reported to the outcome of the port, and whether the instance's memory may be used again. */
import { type BufferedWrite, HostCallError, type PluginResponse, type RunOutcome } from "../../ports/plugin-runtime.ts";
import { LiftBudget, type ValueOf } from "./canonical-abi.ts";
import { GUEST_EXPORTS, type GuestFailure, type InstanceSettings, type bufferedWrite, liftResult, type response } from "./contract.ts";
import type { DoneMessage } from "./executor-protocol.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { RESPONSE_HEADERS_MAX, RESPONSE_HEADER_BYTES_MAX, RUN_DATABASES_MAX } from "./limits.ts";
import type { StopReason } from "./stop-ladder.ts";

/** What the plugin itself answered. */
export type GuestResult =
  | { readonly tag: "ok"; readonly writes: readonly BufferedWrite[]; readonly response: PluginResponse | undefined }
  | { readonly tag: "err"; readonly failure: GuestFailure };

/** Names of databases and headers come on top of what is written and answered. */
const RESULT_BYTES_MORE = RESPONSE_HEADER_BYTES_MAX + RUN_DATABASES_MAX * 1024;
const RESULT_ITEMS_MAX = RUN_DATABASES_MAX + RESPONSE_HEADERS_MAX;

export interface ReturnedResult {
  readonly ofRequest: boolean;
  /** What the export returned. */
  readonly returned: number;
  readonly limits: Pick<InstanceSettings, "writeBytes" | "responseBytes">;
}

/** Lifts a result from the memory of a guest that stands still. Throws `plugin.message_invalid`, or `HostCallError` kind `limit` for one that is too large. */
export function liftRunResult(memory: GuestMemory, { ofRequest, returned, limits }: ReturnedResult): GuestResult {
  const from = { memory, budget: new LiftBudget(limits.writeBytes + (ofRequest ? limits.responseBytes : 0) + RESULT_BYTES_MORE, RESULT_ITEMS_MAX) };
  if (ofRequest) {
    const outcome = liftResult(GUEST_EXPORTS["process-request"], from, returned);
    if (outcome.tag === "err") return { tag: "err", failure: outcome.val };
    const [answer, writes] = outcome.val;
    // The budget is one for all of it; each part has a limit of its own besides.
    if (answer.body.length > limits.responseBytes) throw new HostCallError("limit", `a body of ${answer.body.length} bytes is larger than the ${limits.responseBytes} that are allowed`);
    return { tag: "ok", writes: writes.map(portWrite), response: portResponse(answer) };
  }
  const outcome = liftResult(GUEST_EXPORTS["process-writes"], from, returned);
  if (outcome.tag === "err") return { tag: "err", failure: outcome.val };
  return { tag: "ok", writes: outcome.val.map(portWrite), response: undefined };
}

const portWrite = ({ database, lines }: ValueOf<typeof bufferedWrite>): BufferedWrite => ({ database, lines });

const portResponse = ({ status, headers, body }: ValueOf<typeof response>): PluginResponse => ({
  status,
  headers: headers.map(({ name, value }) => [name, value] as const),
  body,
});

export interface RunReport {
  readonly done: DoneMessage;
  /** Undefined: the guest never answered, or what it answered was broken (then `fault` says how). */
  readonly result: GuestResult | undefined;
  readonly fault: string | undefined;
  readonly stopReason: StopReason | undefined;
  /** Keys of the private cache after the run before. */
  readonly cacheKeysBefore: number;
}

export interface Verdict {
  readonly outcome: RunOutcome;
  /** The memory must be restored from the image before the next run. */
  readonly reset: boolean;
}

export function judge(report: RunReport): Verdict {
  const { done, result, stopReason } = report;
  const lost = done.cacheKeys ?? report.cacheKeysBefore;
  if (done.end.kind !== "returned") return { outcome: brokenOff(report, lost), reset: true };
  if (result === undefined) {
    const message = report.fault ?? "the interpreter returned without a result";
    return { outcome: { kind: "failed", message, cacheKeysLost: lost }, reset: true };
  }
  if (result.tag === "ok") {
    // A run that completed before it noticed the stop has done its work; one that swallowed the interruption has not.
    if (stopReason !== undefined && done.stopSeen) return { outcome: stopped(stopReason, undefined, 0), reset: false };
    const { writes, response: answer } = result;
    return { outcome: { kind: "done", writes, ...(answer === undefined ? {} : { response: answer }) }, reset: false };
  }
  const { failure } = result;
  const reset = failure.outOfMemory || isOfBrokenGlue(failure);
  const cacheKeysLost = reset ? lost : 0;
  if (stopReason !== undefined && (done.stopSeen || failure.interrupted)) {
    return { outcome: stopped(stopReason, failure.traceback, cacheKeysLost), reset };
  }
  const { typeName, message, traceback, outOfMemory, inEntryPoint } = failure;
  return { outcome: { kind: "raised", typeName, message, traceback, inEntryPoint, cacheKeysLost, outOfMemory }, reset };
}

/** Our own Python reports every exception with a traceback, or without a type: one that has neither went past it. */
function isOfBrokenGlue({ typeName, traceback, interrupted }: GuestFailure): boolean {
  return typeName !== "" && traceback === "" && !interrupted;
}

function stopped(reason: StopReason, traceback: string | undefined, cacheKeysLost: number): RunOutcome {
  const base = { kind: "stopped", reason, level: "soft", cacheKeysLost } as const;
  return traceback === undefined || traceback === "" ? base : { ...base, traceback };
}

/** The guest was left by a throw. Traps are the plugin's doing: they become exceptions that Python could not raise any more. */
function brokenOff({ done, stopReason }: RunReport, cacheKeysLost: number): RunOutcome {
  const raised = (typeName: string, message: string, outOfMemory = false): RunOutcome => ({
    kind: "raised", typeName, message, traceback: "", inEntryPoint: true, cacheKeysLost, outOfMemory,
  });
  switch (done.end.kind) {
    case "hard-stopped":
      return { kind: "stopped", reason: stopReason ?? "cancelled", level: "hard", cacheKeysLost };
    case "exited":
      return raised("SystemExit", String(done.end.status));
    case "out-of-memory":
      return raised("MemoryError", "the call's data does not fit into the plugin's memory", true);
    case "trapped":
      return done.end.stackExhausted
        ? raised("RecursionError", "the interpreter's stack is exhausted")
        : raised("SystemError", `the interpreter stopped: ${done.end.message}`);
    case "failed":
      return { kind: "failed", message: done.end.message, cacheKeysLost };
    case "returned":
      return { kind: "failed", message: "the interpreter returned without a result", cacheKeysLost };
  }
}
