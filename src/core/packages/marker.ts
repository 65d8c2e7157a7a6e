/**
 * Environment markers (PEP 508), evaluated for the guest: CPython 3.13 on WASI. Versions compare as PEP 440 has it, where both
 * sides are versions; all else as texts.
 */
import { satisfies, valid } from "@renovatebot/pep440";
import { MARKER_DEPTH_MAX } from "./limits.ts";

export interface MarkerEnvironment {
  readonly [variable: string]: string;
}

/** What `sys`, `os` and `platform` say in the guest. */
export const GUEST_ENVIRONMENT: MarkerEnvironment = {
  python_version: "3.13",
  python_full_version: "3.13.15",
  implementation_name: "cpython",
  implementation_version: "3.13.15",
  platform_python_implementation: "CPython",
  os_name: "posix",
  sys_platform: "wasi",
  platform_system: "wasi",
  platform_machine: "wasm32",
  platform_release: "0.0.0",
  platform_version: "0.0.0",
};

export type Marker = Junction | Comparison;

interface Junction {
  readonly kind: "and" | "or";
  readonly left: Marker;
  readonly right: Marker;
}
interface Comparison {
  readonly kind: "compare";
  readonly left: Operand;
  readonly operator: string;
  readonly right: Operand;
}
type Operand = { readonly variable: string } | { readonly text: string };

/** Older spellings that are still found. */
const ALIASES: Readonly<Record<string, string>> = { "os.name": "os_name", "sys.platform": "sys_platform", "platform.version": "platform_version", "platform.machine": "platform_machine", "platform.python_implementation": "platform_python_implementation", python_implementation: "platform_python_implementation" };

/** A text says what is wrong. */
export function parseMarker(text: string): Marker | string {
  const tokens = text.match(/\s*(?:"[^"]*"|'[^']*'|\(|\)|===|==|~=|!=|<=|>=|<|>|[A-Za-z_.]+|\S)/g)?.map((token) => token.trim()) ?? [];
  const reader = { tokens, at: 0, depth: 0 };
  try {
    const marker = readOr(reader);
    return reader.at === tokens.length ? marker : `"${tokens[reader.at]}" is not expected`;
  } catch (problem) {
    if (problem instanceof MarkerProblem) return problem.text;
    throw problem;
  }
}

class MarkerProblem {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  depth: number;
}

function readOr(reader: Reader): Marker {
  let left = readAnd(reader);
  while (reader.tokens[reader.at] === "or") {
    reader.at++;
    left = { kind: "or", left, right: readAnd(reader) };
  }
  return left;
}

function readAnd(reader: Reader): Marker {
  let left = readTerm(reader);
  while (reader.tokens[reader.at] === "and") {
    reader.at++;
    left = { kind: "and", left, right: readTerm(reader) };
  }
  return left;
}

function readTerm(reader: Reader): Marker {
  if (reader.tokens[reader.at] !== "(") return { kind: "compare", left: readOperand(reader), operator: readOperator(reader), right: readOperand(reader) };
  if (++reader.depth > MARKER_DEPTH_MAX) throw new MarkerProblem("it is nested too deeply");
  reader.at++;
  const inner = readOr(reader);
  if (reader.tokens[reader.at] !== ")") throw new MarkerProblem("a parenthesis is not closed");
  reader.at++;
  reader.depth--;
  return inner;
}

function readOperand(reader: Reader): Operand {
  const token = reader.tokens[reader.at++];
  if (token === undefined) throw new MarkerProblem("it ends too early");
  if (/^(["']).*\1$/.test(token)) return { text: token.slice(1, -1) };
  const variable = ALIASES[token] ?? token;
  if (variable !== "extra" && GUEST_ENVIRONMENT[variable] === undefined) throw new MarkerProblem(`"${token}" is no marker variable`);
  return { variable };
}

const OPERATORS: ReadonlySet<string> = new Set(["===", "==", "~=", "!=", "<=", ">=", "<", ">", "in"]);

function readOperator(reader: Reader): string {
  const token = reader.tokens[reader.at++];
  if (token === "not" && reader.tokens[reader.at] === "in") {
    reader.at++;
    return "not in";
  }
  if (token === undefined || !OPERATORS.has(token)) throw new MarkerProblem(token === undefined ? "it ends too early" : `"${token}" is no comparison`);
  return token;
}

/** `extras`: those that are asked for; `extra == "x"` holds for each of them. */
export function evaluateMarker(marker: Marker, extras: readonly string[]): boolean {
  if (marker.kind !== "compare") {
    const left = evaluateMarker(marker.left, extras);
    return marker.kind === "and" ? left && evaluateMarker(marker.right, extras) : left || evaluateMarker(marker.right, extras);
  }
  return (extras.length === 0 ? [""] : extras).some((extra) => compare(valueOf(marker.left, extra), marker.operator, valueOf(marker.right, extra)));
}

const valueOf = (operand: Operand, extra: string): string => ("text" in operand ? operand.text : operand.variable === "extra" ? extra : (GUEST_ENVIRONMENT[operand.variable] as string));

function compare(left: string, operator: string, right: string): boolean {
  if (operator === "in") return right.includes(left);
  if (operator === "not in") return !right.includes(left);
  if (valid(left) !== null && valid(right.replace(/\.\*$/, "")) !== null) return satisfies(left, `${operator}${right}`, { prereleases: true });
  if (operator === "==" || operator === "===") return left === right;
  if (operator === "!=") return left !== right;
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  return operator === ">=" ? left >= right : false;
}
