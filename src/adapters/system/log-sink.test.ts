// Goal: a plugin's words cannot pass for the server's lines, nor steer a terminal.
import { expect, test } from "vitest";
import { createLogSink } from "./log-sink.ts";

function lines(format: "text" | "json" | "logfmt", message: string, fields: Record<string, unknown> = {}): string[] {
  let written = "";
  createLogSink({ format, levelMin: "info", write: (text) => (written += text), nowMs: () => 0 }).log("info", message, fields);
  return written.trimEnd().split("\n");
}

const FORGED = "1970-01-01T00:00:00.000Z ERROR forged";

test.each(["text", "json", "logfmt"] as const)("%s neutralises line breaks, terminal codes and direction marks", (format) => {
  const written = lines(format, `one\n${FORGED}\u001b[2J\r\u202e\u0085`, { trigger: "a\nb\u001b[31m" });
  expect(written.filter((line) => line.startsWith("1970-01-01T00:00:00.000Z ERROR"))).toEqual([]);
  expect(written.join("")).not.toMatch(/[\u0000-\u001f\u007f\u202e\u0085]/);
});

test("a traceback stays readable: its lines are marked and indented", () => {
  expect(lines("text", "failed\n  File \"p.py\", line 1")).toEqual(["1970-01-01T00:00:00.000Z INFO  failed", "    |   File \"p.py\", line 1"]);
});
