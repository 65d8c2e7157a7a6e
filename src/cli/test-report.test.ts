// Goal: a report of a test run says everything a plugin's author asks, in the order in which they ask.
import { expect, it } from "vitest";
import { styleFor } from "./style.ts";
import { formatTestReport } from "./test-report.ts";

const plain = styleFor(false, () => undefined);
const COST = { traceback: null, error_file: null, error_line: null, duration_ms: 12.345, memory_bytes: 9_437_184 };

it("shows log lines with levels and what would have been written where", () => {
  const report = {
    ...COST,
    log_lines: ["INFO: starting execution of wal plugin.", "INFO: two\nlines", "WARN: careful", "INFO: finished execution in 12ms"],
    database_writes: { db: ["m n=1i 1"], other: Array.from({ length: 22 }, (_, n) => `m n=${n}i`) },
    errors: [],
  };
  expect(formatTestReport("dir/p.py", report, plain)).toBe(
    [
      "dir/p.py: ok  12.3 ms, 9.0 MiB of memory",
      "",
      "Log",
      "  INFO   two",
      "         lines",
      "  WARN   careful",
      "",
      "Would have been written",
      "  to db, 1 line",
      "    m n=1i 1",
      "  to other, 22 lines",
      ...Array.from({ length: 20 }, (_, n) => `    m n=${n}i`),
      "    … and 2 more; --format json shows all",
      "",
    ].join("\n"),
  );
});

it("shows where the plugin failed, with Python's traceback", () => {
  const traceback = 'Traceback (most recent call last):\n  File "p.py", line 4, in process_scheduled_call\nValueError: bad\n';
  const report = { ...COST, trigger_time: null, log_lines: ["INFO: starting execution with scheduled time 2026-01-01 00:00:00 UTC"], database_writes: {}, errors: ["error executing plugin: ValueError: bad"], traceback, error_file: "p.py", error_line: 4 };
  expect(formatTestReport("p.py", report, plain)).toBe(
    [
      "p.py: 1 error  12.3 ms, 9.0 MiB of memory",
      "",
      "Nothing would have been written.",
      "",
      "Failed at p.py, line 4",
      "  error executing plugin: ValueError: bad",
      "",
      "  Traceback (most recent call last):",
      '    File "p.py", line 4, in process_scheduled_call',
      "  ValueError: bad",
      "",
    ].join("\n"),
  );
});

it("shows a response, and the time a schedule was called for", () => {
  const base = { ...COST, duration_ms: 1500, log_lines: [], database_writes: {}, errors: [] };
  const response = { status: 201, headers: { "Content-Type": "text/html" }, body: "a\nb" };
  expect(formatTestReport("p.py", { ...base, response }, plain)).toContain("Response 201\n  Content-Type: text/html\n  a\n  b\n");
  expect(formatTestReport("p.py", { ...base, response: { status: 200, headers: {}, body_base64: "/wA=" } }, plain)).toContain("Response 200\n  (2 bytes that are no text)");
  expect(formatTestReport("p.py", { ...base, trigger_time: "2026-01-01T00:00:01Z" }, plain)).toContain("p.py: ok  1.50 s, 9.0 MiB of memory  called for 2026-01-01T00:00:01Z");
});

it("colours levels and errors on a terminal only", () => {
  const report = { log_lines: ["ERROR: e"], database_writes: {}, errors: ["x"] };
  expect(formatTestReport("p.py", report, styleFor(true, () => undefined))).toContain("\u001b[31mERROR\u001b[39m  e");
});

it("copes with the report of another version", () => expect(formatTestReport("p.py", {}, plain)).toBe("p.py: ok\n\nNothing would have been written.\n"));

it("shows control characters of the plugin instead of obeying them", () => {
  const hostile = "\u001b[2Jok\u202e";
  const report = { ...COST, log_lines: [`INFO: ${hostile}`], database_writes: { [hostile]: [hostile] }, errors: [hostile], traceback: hostile, response: { status: 200, headers: { [hostile]: hostile }, body: hostile } };
  const text = formatTestReport("p.py", report, plain);
  expect(text).not.toMatch(/[\u001b\u202e]/);
  expect(text.split("\\u001b[2Jok\\u202e").length - 1).toBe(8);
});
