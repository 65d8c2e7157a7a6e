import { describe, expect, test } from "vitest";
import type { DoneMessage, RunEnd } from "./executor-protocol.ts";
import { type GuestResult, type RunReport, judge } from "./outcome.ts";

const done = (end: RunEnd, stopSeen = false, cacheKeys: number | undefined = 3): DoneMessage => ({
  type: "done", end, stopSeen, cacheKeys, answer: undefined, cacheChanges: undefined, descriptors: [], adoptMs: undefined, restoreMs: undefined,
});
const returned: RunEnd = { kind: "returned" };
const succeeded: GuestResult = { tag: "ok", writes: [{ database: undefined, lines: "a b=1" }], response: undefined };
const failed = (flags: { outOfMemory?: boolean; interrupted?: boolean } = {}): GuestResult => ({
  tag: "err",
  failure: { typeName: "T", message: "m", traceback: "tb", outOfMemory: false, interrupted: false, inEntryPoint: true, ...flags },
});
const report = (parts: Partial<RunReport>): RunReport => ({
  done: done(returned), result: succeeded, fault: undefined, stopReason: undefined, cacheKeysBefore: 5, ...parts,
});

describe("judge()", () => {
  test("a run that answered is done; its memory stays", () => {
    expect(judge(report({}))).toEqual({ outcome: { kind: "done", writes: [{ database: undefined, lines: "a b=1" }] }, reset: false });
  });

  test("a run that completed before it noticed the stop is done", () => {
    expect(judge(report({ stopReason: "time-limit" })).outcome.kind).toBe("done");
  });

  test("a run that swallowed the interruption and then answered was stopped", () => {
    const verdict = judge(report({ done: done(returned, true), stopReason: "time-limit" }));
    expect(verdict).toEqual({ outcome: { kind: "stopped", reason: "time-limit", level: "soft", cacheKeysLost: 0 }, reset: false });
  });

  test("an exception of the plugin is raised; its own KeyboardInterrupt is no stop", () => {
    const verdict = judge(report({ result: failed({ interrupted: true }) }));
    expect(verdict.outcome).toMatchObject({ kind: "raised", typeName: "T", message: "m", cacheKeysLost: 0, inEntryPoint: true });
    expect(verdict.reset).toBe(false);
  });

  test("an interruption that left the plugin keeps the cache", () => {
    const verdict = judge(report({ done: done(returned, true), result: failed({ interrupted: true }), stopReason: "cancelled" }));
    expect(verdict).toEqual({ outcome: { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0, traceback: "tb" }, reset: false });
  });

  test("a MemoryError resets and says how many keys there were at its end", () => {
    const verdict = judge(report({ result: failed({ outOfMemory: true }) }));
    expect(verdict).toMatchObject({ outcome: { kind: "raised", outOfMemory: true, cacheKeysLost: 3 }, reset: true });
  });

  test.each<[RunEnd, object]>([
    [{ kind: "hard-stopped" }, { kind: "stopped", level: "hard", reason: "time-limit" }],
    [{ kind: "exited", status: 4 }, { kind: "raised", typeName: "SystemExit", message: "4" }],
    [{ kind: "trapped", message: "unreachable", stackExhausted: false }, { kind: "raised", typeName: "SystemError" }],
    [{ kind: "trapped", message: "Maximum call stack", stackExhausted: true }, { kind: "raised", typeName: "RecursionError" }],
    [{ kind: "out-of-memory" }, { kind: "raised", typeName: "MemoryError", outOfMemory: true }],
    [{ kind: "failed", message: "no" }, { kind: "failed", message: "no" }],
  ])("a guest left by %o resets and loses the keys of the run before", (end, outcome) => {
    const verdict = judge(report({ done: { ...done(end), cacheKeys: undefined }, result: undefined, stopReason: "time-limit" }));
    expect(verdict).toMatchObject({ outcome: { ...outcome, cacheKeysLost: 5 }, reset: true });
  });

  test("a broken answer is a failure with its reason and resets", () => {
    const verdict = judge(report({ result: undefined, fault: "Guest address 9 lies outside" }));
    expect(verdict).toEqual({ outcome: { kind: "failed", message: "Guest address 9 lies outside", cacheKeysLost: 3 }, reset: true });
  });
});
