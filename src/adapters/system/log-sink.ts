/** The server's log: one readable line per event on a terminal, one JSON object a line otherwise. */
import { neutralLines } from "../../core/text/neutral.ts";
import type { LogLevel, LogSink } from "../../ports/log-sink.ts";

export interface LogSinkOptions {
  readonly format: "text" | "json" | "logfmt";
  readonly levelMin: LogLevel;
  readonly write: (text: string) => void;
  readonly nowMs: () => number;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function createLogSink(options: LogSinkOptions): LogSink {
  const minimum = ORDER.indexOf(options.levelMin);
  return {
    log(level, message, fields = {}) {
      if (ORDER.indexOf(level) < minimum) return;
      const time = new Date(options.nowMs()).toISOString();
      options.write(`${render(options.format, time, level, message, fields)}\n`);
    },
  };
}

function render(format: LogSinkOptions["format"], time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  if (format === "json") return neutralLines(JSON.stringify({ time, level, message, ...fields }));
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${quoted(value)}`);
  if (format === "logfmt") return [`time=${time}`, `level=${level}`, `msg=${quoted(message)}`, ...pairs].join(" ");
  return [time, level.toUpperCase().padEnd(5), neutralLines(message), ...pairs].join(" ");
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "undefined";
  return neutralLines(/[\s"=]/.test(text) ? JSON.stringify(text) : text);
}
