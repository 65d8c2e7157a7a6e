/** The server's log: one readable line per event on a terminal, one JSON object a line otherwise. */
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
  if (format === "json") return neutral(JSON.stringify({ time, level, message, ...fields }));
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${quoted(value)}`);
  if (format === "logfmt") return [`time=${time}`, `level=${level}`, `msg=${quoted(message)}`, ...pairs].join(" ");
  return [time, level.toUpperCase().padEnd(5), neutral(message), ...pairs].join(" ");
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "undefined";
  return neutral(/[\s"=]/.test(text) ? JSON.stringify(text) : text);
}

/** Line breaks, terminal codes and marks that turn the direction of text: a plugin's words must not pass for the server's. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Indented continuation lines keep a traceback readable: each begins with a mark that no line of ours begins with. */
function neutral(text: string): string {
  const escaped = (line: string): string => line.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return text.split("\n").map(escaped).join("\n    | ");
}
