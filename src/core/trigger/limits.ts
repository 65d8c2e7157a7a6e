/**
 * What one trigger may use, by the names that flags, HTTP members, the catalog and the system table share. The server has a
 * value for each; a trigger may have its own. Texts are `5s`, `64mb` or a number (design §8.17).
 */
import { formatDuration, parseDuration } from "../config/humantime.ts";
import { parseMemorySize } from "../config/memory-size.ts";
import { DatabaseError } from "../errors/database-error.ts";

interface LimitSpec {
  /** Milliseconds, bytes, or a plain number. */
  readonly unit: "duration" | "size" | "count";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly summary: string;
}

const MEBIBYTE = 1_048_576;
const DAY_MS = 86_400_000;
const COUNT_MAX = 1_000_000_000;

const spec = (unit: LimitSpec["unit"], standard: number, [min, max]: readonly [number, number], summary: string): LimitSpec => ({
  unit, default: standard, min, max, summary,
});

/**
 * The lower bounds keep the interpreter able to start and to say what went wrong; the upper ones are what the runtime
 * itself carries over its boundary (src/adapters/plugin-runtime/limits.ts).
 */
export const LIMITS = {
  time: spec("duration", 30_000, [1, DAY_MS], "wall time of one run"),
  memory: spec("size", 256 * MEBIBYTE, [32 * MEBIBYTE, 4096 * MEBIBYTE], "memory of one instance"),
  instances: spec("count", 8, [1, 64], "runs of an asynchronous trigger at the same time"),
  log_lines: spec("count", 10_000, [1, COUNT_MAX], "log rows of one run"),
  log_bytes: spec("size", 4 * MEBIBYTE, [1024, 64 * MEBIBYTE], "characters in the log rows of one run"),
  writes: spec("count", 10_000, [1, COUNT_MAX], "write_sync calls of one run"),
  write_bytes: spec("size", 64 * MEBIBYTE, [1, 64 * MEBIBYTE], "line protocol of one run, buffered and synchronous"),
  queries: spec("count", 10_000, [1, COUNT_MAX], "queries of one run"),
  query_rows: spec("count", 10_000_000, [1, COUNT_MAX], "rows that one query answers"),
  query_bytes: spec("size", 64 * MEBIBYTE, [1024, 256 * MEBIBYTE], "bytes that one query answers"),
  cache_bytes: spec("size", 64 * MEBIBYTE, [1024, 1024 * MEBIBYTE], "values in the trigger's cache; its part of the global cache"),
  connections: spec("count", 256, [0, COUNT_MAX], "network connections that one run opens"),
  network_bytes: spec("size", 256 * MEBIBYTE, [0, 1_048_576 * MEBIBYTE], "bytes that one run sends and receives over the network"),
  response_bytes: spec("size", 10 * MEBIBYTE, [0, 64 * MEBIBYTE], "body of a response"),
} as const satisfies Readonly<Record<string, LimitSpec>>;

export type LimitName = keyof typeof LIMITS;
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];
export type TriggerLimits = Readonly<Record<LimitName, number>>;
/** What a trigger has of its own. */
export type OwnLimits = Partial<TriggerLimits>;

export const DEFAULT_LIMITS: TriggerLimits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].default])) as TriggerLimits;

/** Throws `trigger.invalid_settings`. */
export function parseLimits(pairs: Iterable<readonly [string, string | number]>): OwnLimits {
  return Object.fromEntries([...pairs].map(([name, value]) => [limitName(name), parseLimit(limitName(name), value)]));
}

function limitName(text: string): LimitName {
  const name = LIMIT_NAMES.find((candidate) => candidate === text.replaceAll("-", "_"));
  if (name !== undefined) return name;
  throw new DatabaseError("trigger.invalid_settings", {
    message: `There is no limit '${text}'`,
    hint: `the limits are ${LIMIT_NAMES.join(", ")}`,
  });
}

function parseLimit(name: LimitName, value: string | number): number {
  const { unit, min, max } = LIMITS[name];
  const amount = typeof value === "number" ? value : parseAmount(unit, value);
  if (Number.isSafeInteger(amount) && amount >= min && amount <= max) return amount;
  throw new DatabaseError("trigger.invalid_settings", {
    message: `'${value}' cannot be the limit '${name}'`,
    hint: `give it ${EXAMPLE[unit]}, from ${formatLimit(name, min)} to ${formatLimit(name, max)}`,
  });
}

const EXAMPLE = { duration: "a duration such as 5s", size: "a size such as 64mb", count: "a number" } as const;

function parseAmount(unit: LimitSpec["unit"], text: string): number {
  switch (unit) {
    case "duration": {
      const ns = parseDuration(text);
      return ns === undefined ? Number.NaN : Number(ns / 1_000_000n);
    }
    case "size":
      return parseMemorySize(text, { bareUnit: "b" }) ?? Number.NaN;
    case "count":
      return /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
  }
}

/** The shortest text that `parseLimits` reads as the same value. */
export function formatLimit(name: LimitName, value: number): string {
  switch (LIMITS[name].unit) {
    case "duration":
      return formatDuration(BigInt(value) * 1_000_000n).replaceAll(" ", "");
    case "size":
      return formatSize(value);
    case "count":
      return String(value);
  }
}

export function formatSize(bytes: number): string {
  if (bytes !== 0 && bytes % MEBIBYTE === 0) return `${bytes / MEBIBYTE}mb`;
  return bytes !== 0 && bytes % 1024 === 0 ? `${bytes / 1024}kb` : `${bytes}b`;
}
