/**
 * The flag parser (spec: cli §1, §2): flags before or after arguments, `--flag value` and `--flag=value`, `-d x`, `-dx`,
 * `-vv`, `--` ends flags. Flag beats environment beats default. Everything unknown is misuse, with the nearest name.
 */
import type { ArgumentSpec, Command, FlagSpec } from "./command.ts";
import { nearestWord } from "./nearest.ts";
import { ParsedArguments, type FlagValue } from "./parsed-arguments.ts";
import { usageError } from "./usage-error.ts";

type Grammar = Pick<Command, "arguments" | "flags">;

interface State {
  readonly grammar: Grammar;
  readonly values: Map<FlagSpec, string[]>;
  readonly counts: Map<FlagSpec, number>;
  readonly positional: string[];
  /** The `values` flag that takes the next loose words. */
  open: FlagSpec | undefined;
}

/** Throws `cli.usage`. */
export function parseArguments(
  grammar: Grammar,
  words: readonly string[],
  env: (name: string) => string | undefined,
): ParsedArguments {
  const state: State = { grammar, values: new Map(), counts: new Map(), positional: [], open: undefined };
  readWords(state, words);
  const flags = new Map<string, FlagValue>();
  for (const spec of grammar.flags) {
    const value = flagValue(state, spec) ?? environmentValue(spec, env);
    if (value !== undefined) flags.set(spec.name, value);
  }
  const positional = namePositionals(state, env);
  checkConflicts(state);
  checkRequired(grammar, flags, positional);
  const repeated = grammar.arguments?.at(-1)?.repeat === true ? state.positional.slice(grammar.arguments.length - 1) : [];
  return new ParsedArguments(flags, positional, repeated);
}

/** `--name <VALUE>` as messages and help show a flag. */
export function flagTitle(spec: FlagSpec): string {
  return spec.value === undefined ? `--${spec.name}` : `--${spec.name} <${spec.value}>`;
}

function readWords(state: State, words: readonly string[]): void {
  let index = 0;
  const take = (): string | undefined => words[++index];
  for (; index < words.length; index++) {
    const word = words[index] as string;
    if (word === "--") {
      state.positional.push(...words.slice(index + 1));
      return;
    }
    if (word.startsWith("--")) readLong(state, word.slice(2), take);
    else if (word.startsWith("-") && word.length > 1) readShort(state, word.slice(1), take);
    else readLoose(state, word);
  }
}

/** Loose words fill the arguments first; only what is left over goes on to a list flag before them. */
function readLoose(state: State, word: string): void {
  const isFull = state.positional.length >= (state.grammar.arguments ?? []).length;
  if (isFull && state.open !== undefined) addValue(state, state.open, word);
  else state.positional.push(word);
}

function readLong(state: State, text: string, take: () => string | undefined): void {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const spec = state.grammar.flags.find((flag) => flag.name === name || flag.aliases?.includes(name) === true);
  if (spec === undefined) throw unknownFlag(`--${name}`, state.grammar.flags);
  if (equals >= 0) {
    if (spec.value === undefined) throw usageError(`unexpected value '${text.slice(equals + 1)}' for '--${name}' found; no more were expected`);
    setValue(state, spec, text.slice(equals + 1));
  } else {
    setFlag(state, spec, take);
  }
}

function readShort(state: State, letters: string, take: () => string | undefined): void {
  for (let index = 0; index < letters.length; index++) {
    const spec = state.grammar.flags.find((flag) => flag.short === letters[index]);
    if (spec === undefined) throw unknownFlag(`-${letters[index]}`, state.grammar.flags);
    const rest = letters.slice(index + 1);
    if (spec.value !== undefined && rest !== "") {
      setValue(state, spec, rest.startsWith("=") ? rest.slice(1) : rest);
      return;
    }
    setFlag(state, spec, take);
  }
}

function setFlag(state: State, spec: FlagSpec, take: () => string | undefined): void {
  if (spec.value === undefined) {
    state.open = undefined;
    const count = (state.counts.get(spec) ?? 0) + 1;
    if (count > 1 && spec.repeat === undefined) throw usageError(`the argument '${flagTitle(spec)}' cannot be used multiple times`);
    state.counts.set(spec, count);
    return;
  }
  const value = spec.bare ?? take();
  if (value === undefined || (value.startsWith("--") && value.length > 2)) {
    throw usageError(`a value is required for '${flagTitle(spec)}' but none was supplied`);
  }
  setValue(state, spec, value);
}

function setValue(state: State, spec: FlagSpec, value: string): void {
  if (state.values.has(spec) && spec.repeat === undefined) {
    throw usageError(`the argument '${flagTitle(spec)}' cannot be used multiple times`);
  }
  addValue(state, spec, value);
  state.open = spec.repeat === "values" ? spec : undefined;
}

function addValue(state: State, spec: FlagSpec, value: string): void {
  checkValue(spec, value);
  state.values.set(spec, [...(state.values.get(spec) ?? []), value]);
}

/** What is wrong with a value, in one line; undefined when it may stand. */
export function valueProblem(spec: FlagSpec, value: string): string | undefined {
  if (spec.choices !== undefined && !spec.choices.includes(value.toLowerCase())) return `"${value}" is none of ${spec.choices.join(", ")}`;
  return spec.check?.(value);
}

function checkValue(spec: FlagSpec, value: string): void {
  if (spec.choices !== undefined && !spec.choices.includes(value.toLowerCase())) {
    const near = nearestWord(value, spec.choices);
    throw usageError(
      `invalid value '${value}' for '${flagTitle(spec)}'\n  [possible values: ${spec.choices.join(", ")}]`,
      near === undefined ? undefined : `a similar value exists: '${near}'`,
    );
  }
  const problem = spec.check?.(value);
  if (problem !== undefined) throw usageError(`invalid value '${value}' for '${flagTitle(spec)}': ${problem}`);
}

function flagValue(state: State, spec: FlagSpec): FlagValue | undefined {
  const count = state.counts.get(spec);
  if (count !== undefined) return { values: [], count, source: "flag" };
  const values = state.values.get(spec);
  return values === undefined ? undefined : { values, count: 0, source: "flag" };
}

/** An empty variable counts as unset. */
function environmentValue(spec: FlagSpec, env: (name: string) => string | undefined): FlagValue | undefined {
  const name = spec.env?.find((candidate) => (env(candidate) ?? "") !== "");
  const value = name === undefined ? undefined : env(name);
  if (name === undefined || value === undefined) return undefined;
  if (spec.value !== undefined) {
    checkValue(spec, value);
    return { values: [value], count: 0, source: "environment" };
  }
  if (/^(true|1|yes|on|t|y)$/i.test(value)) return { values: [], count: 1, source: "environment" };
  if (/^(false|0|no|off|f|n)$/i.test(value)) return undefined;
  throw usageError(`invalid value '${value}' for '${flagTitle(spec)}' in ${name}: expected true or false`);
}

function namePositionals(state: State, env: (name: string) => string | undefined): Map<string, string> {
  const specs = state.grammar.arguments ?? [];
  const extra = state.positional[specs.length];
  if (extra !== undefined && specs.at(-1)?.repeat !== true) throw usageError(`unexpected argument '${extra}' found`);
  const named = new Map<string, string>();
  for (const [index, spec] of specs.entries()) {
    const value = state.positional[index] ?? spec.env?.map(env).find((text) => text !== undefined && text !== "");
    if (value !== undefined) named.set(spec.name, value);
  }
  return named;
}

function checkConflicts(state: State): void {
  const isGiven = (spec: FlagSpec | undefined): boolean =>
    spec !== undefined && (state.values.has(spec) || state.counts.has(spec));
  for (const spec of state.grammar.flags) {
    const other = state.grammar.flags.find(({ name }) => name === spec.conflictsWith);
    if (other !== undefined && isGiven(spec) && isGiven(other)) {
      throw usageError(`the argument '${flagTitle(other)}' cannot be used with '${flagTitle(spec)}'`);
    }
  }
}

function checkRequired(
  grammar: Grammar,
  flags: ReadonlyMap<string, FlagValue>,
  positional: ReadonlyMap<string, string>,
): void {
  const missing = [
    ...grammar.flags.filter((spec) => spec.required === true && !flags.has(spec.name)).map(flagTitle),
    ...(grammar.arguments ?? []).filter((spec) => spec.required === true && !positional.has(spec.name)).map(argumentTitle),
  ];
  if (missing.length === 0) return;
  throw usageError(`the following required arguments were not provided:\n${missing.map((title) => `  ${title}`).join("\n")}`);
}

export function argumentTitle(spec: ArgumentSpec): string {
  return `${spec.required === true ? `<${spec.name}>` : `[${spec.name}]`}${spec.repeat === true ? "…" : ""}`;
}

function unknownFlag(given: string, flags: readonly FlagSpec[]): Error {
  const names = flags.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])]);
  const near = given.startsWith("--") ? nearestWord(given.slice(2), [...names, "help", "help-all"]) : undefined;
  return usageError(
    `unexpected argument '${given}' found`,
    near === undefined ? undefined : `a similar argument exists: '--${near}'`,
  );
}
