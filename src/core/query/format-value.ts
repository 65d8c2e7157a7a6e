/** Cells as text (spec: query §1). JSON and CSV differ in quoting, in NaN and infinity, and in nested values. */
import { formatDuration, formatInterval, type Interval } from "./interval.ts";
import type { ResultValue } from "./query-stream.ts";
import { formatDate, formatTimeOfDay, formatTimestamp } from "./temporal.ts";
import type { SqlType } from "./types.ts";
import { formatZoned, zoneOf } from "./zones.ts";

export type JsonWriter = (value: Exclude<ResultValue, null>) => string;

/** Writes values of one type as JSON text; chosen once per column. */
export function jsonWriter(type: SqlType): JsonWriter {
  switch (type.kind) {
    case "float64":
    case "float32":
      return (value) => (Number.isFinite(value as number) ? formatFloat(value as number, type.kind === "float32") : "null");
    case "boolean":
      return (value) => (value === true ? "true" : "false");
    case "list": {
      const element = jsonWriter(type.element);
      return (value) => `[${(value as readonly ResultValue[]).map((item) => (item === null ? "null" : element(item))).join(",")}]`;
    }
    case "struct": {
      const members = type.fields.map((field) => [JSON.stringify(field.name), jsonWriter(field.type)] as const);
      return (value) =>
        `{${members.flatMap(([name, write], index) => {
          const member = (value as readonly ResultValue[])[index] ?? null;
          return member === null ? [] : [`${name}:${write(member)}`];
        }).join(",")}}`;
    }
    case "decimal":
      return String;
    case "timestamp":
      return timestampWriter(type);
    case "utf8":
    case "tag":
      return (value) => JSON.stringify(value);
    default:
      return isBareNumber(type) ? String : (value) => JSON.stringify(formatText(value, type));
  }
}

/** Rows that follow each other often share their time, and its text is the dearest of all. */
function timestampWriter(type: SqlType): JsonWriter {
  let last: bigint | undefined;
  let text = "";
  return (value) => {
    if (value !== last) {
      last = value as bigint;
      text = `"${formatText(value, type)}"`;
    }
    return text;
  };
}

const isBareNumber = (type: SqlType): boolean => /^u?int\d+$/.test(type.kind);

/** A cell as CSV and pretty show it, unquoted. */
export function formatCell(value: Exclude<ResultValue, null>, type: SqlType): string {
  switch (type.kind) {
    case "float64":
    case "float32":
      return formatFloat(value as number, type.kind === "float32");
    case "list":
      return `[${(value as readonly ResultValue[]).map((item) => (item === null ? "" : formatCell(item, type.element))).join(", ")}]`;
    case "struct":
      return `{${type.fields.map((field, index) => {
        const member = (value as readonly ResultValue[])[index] ?? null;
        return `${field.name}: ${member === null ? "" : formatCell(member, field.type)}`;
      }).join(", ")}}`;
    default:
      return formatText(value, type);
  }
}

function formatText(value: Exclude<ResultValue, null>, type: SqlType): string {
  switch (type.kind) {
    case "timestamp":
      return type.zone === undefined ? formatTimestamp(value as bigint) : formatZoned(value as bigint, zoneOf(type.zone));
    case "date":
      return formatDate(value as number);
    case "time":
      return formatTimeOfDay(value as bigint);
    case "duration":
      return formatDuration(value as bigint);
    case "interval":
      return formatInterval(value as Interval);
    case "binary":
      return Array.from(value as Uint8Array, (byte) => byte.toString(16).padStart(2, "0")).join("");
    default:
      return String(value);
  }
}

/** Shortest text that reads back the same; whole values keep `.0`. */
export function formatFloat(value: number, single = false): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const text = single ? shortestSingle(value) : String(value);
  if (text.includes("e")) return text.replace("e+", "e");
  return text.includes(".") ? text : `${text}.0`;
}

/** The fewest digits that give the same 32-bit float; 9 always do. */
function shortestSingle(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

