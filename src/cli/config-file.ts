/**
 * Settings of `serve` from a TOML file: keys are the flags' names without dashes, in any order, without sections. A flag
 * beats the environment, which beats the file. Whatever the file holds beyond the known settings is an error.
 */
import { parse, TomlError } from "smol-toml";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { FlagSpec } from "./command.ts";
import { nearestWord } from "./nearest.ts";
import { valueProblem } from "./parse.ts";
import type { FlagValue } from "./parsed-arguments.ts";

const FILE_LENGTH_MAX = 1_048_576;

/** By flag name. Throws `server.misconfigured`, which names every problem of the file at once. */
export function readConfigFile(text: string, path: string, flags: readonly FlagSpec[]): ReadonlyMap<string, FlagValue> {
  const settings = new Map<string, FlagValue>();
  const problems: string[] = [];
  for (const [key, value] of Object.entries(parseToml(text, path))) {
    const flag = flags.find(({ name, aliases }) => name === key || aliases?.includes(key) === true);
    if (flag === undefined) problems.push(unknownSetting(key, flags));
    else if (settings.has(flag.name)) problems.push(`"${key}" and "${flag.name}" are the same setting`);
    else {
      const read = valueOf(flag, value);
      if (typeof read === "string") problems.push(`"${key}": ${read}`);
      else if (read !== undefined) settings.set(flag.name, read);
    }
  }
  if (problems.length > 0) throw unusable(path, problems.join("; "), "'influxdb3 serve --help' lists the settings");
  return settings;
}

function parseToml(text: string, path: string): Record<string, unknown> {
  if (text.length > FILE_LENGTH_MAX) throw unusable(path, `it is longer than ${FILE_LENGTH_MAX} characters`, "keep only settings in it");
  try {
    return parse(text, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw unusable(path, `line ${error.line}, column ${error.column}: ${reason}`, 'write it as in node-id = "node0"', error);
  }
}

/** Undefined: a switch that is off. A text: what is wrong. */
function valueOf(flag: FlagSpec, value: unknown): FlagValue | string | undefined {
  if (flag.value === undefined) return switchOf(flag, value);
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (Array.isArray(value) && flag.repeat === undefined) return "one value is expected, not a list";
  const values: string[] = [];
  for (const item of items) {
    if (typeof item !== "string" && typeof item !== "bigint" && typeof item !== "boolean" && typeof item !== "number") return "a text or a number is expected";
    const problem = valueProblem(flag, String(item));
    if (problem !== undefined) return problem;
    values.push(String(item));
  }
  return { values, count: 0, source: "file" };
}

function switchOf(flag: FlagSpec, value: unknown): FlagValue | string | undefined {
  if (typeof value === "boolean") return value ? { values: [], count: 1, source: "file" } : undefined;
  if (flag.repeat !== undefined && typeof value === "bigint" && value >= 0n && value <= 9n) return { values: [], count: Number(value), source: "file" };
  return "true or false is expected";
}

function unknownSetting(key: string, flags: readonly FlagSpec[]): string {
  const near = nearestWord(key.replaceAll("_", "-"), flags.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]));
  return `"${key}" is no setting${near === undefined ? "" : `, perhaps "${near}" is meant`}`;
}

function unusable(path: string, why: string, hint: string, cause?: unknown): DatabaseError {
  return new DatabaseError("server.misconfigured", { message: `The settings file "${path}" cannot be used: ${why}`, hint, ...(cause === undefined ? {} : { cause }) });
}
