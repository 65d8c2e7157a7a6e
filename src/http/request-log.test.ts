import { expect, it } from "vitest";
import { DatabaseError } from "../core/errors/database-error.ts";
import { logRequest, type AnsweredRequest } from "./request-log.ts";

function logged(request: Partial<AnsweredRequest>, logsRequests: boolean): { lines: unknown[]; headers: unknown } {
  const lines: unknown[] = [];
  const rules = { log: { log: (...line: unknown[]) => void lines.push(line) }, newRequestId: () => "id-1", monotonicMs: () => 12.5, logsRequests };
  return { headers: logRequest(rules, { method: "POST", path: "/p", status: 204, startedMs: 10, ...request }), lines };
}

it("logs successes and refusals at debug level only", () => {
  for (const status of [200, 204, 400, 401, 404, 429]) {
    expect(logged({ status }, false)).toEqual({ lines: [], headers: {} });
    expect(logged({ status }, true)).toEqual({ lines: [["debug", "POST /p", { status, durationMs: 2.5, requestId: "id-1" }]], headers: {} });
  }
});

it("logs failures of the server always, and gives the caller the id", () => {
  const error = new DatabaseError("wal_ring.full", { message: "full" });
  expect(logged({ status: 503, error }, false)).toEqual({
    lines: [["warn", "POST /p", { status: 503, durationMs: 2.5, requestId: "id-1", error: "full", code: "wal_ring.full" }]],
    headers: { "x-request-id": "id-1" },
  });
  const [line] = logged({ status: 500, error: new TypeError("x is undefined") }, false).lines as [string, string, Record<string, unknown>][];
  expect(line?.[2]).toMatchObject({ error: "x is undefined", stack: expect.stringContaining("TypeError") });
});

it("cuts a path that is longer than anyone would read", () => {
  const [line] = logged({ status: 500, path: `/${"x".repeat(10_000)}` }, false).lines as [string, string][];
  expect(line?.[1].length).toBeLessThan(250);
});
