/** What the command line and the environment say, by flag and argument name. */

export interface FlagValue {
  readonly values: readonly string[];
  /** For switches: how often. */
  readonly count: number;
  readonly source: "flag" | "environment" | "file";
}

export class ParsedArguments {
  readonly #flags: ReadonlyMap<string, FlagValue>;
  readonly #arguments: ReadonlyMap<string, string>;
  /** Words of the last argument, when it takes several. */
  readonly repeated: readonly string[];

  constructor(flags: ReadonlyMap<string, FlagValue>, positional: ReadonlyMap<string, string>, repeated: readonly string[] = []) {
    this.#flags = flags;
    this.#arguments = positional;
    this.repeated = repeated;
  }

  /** These values where nothing else was given. */
  withDefaults(defaults: ReadonlyMap<string, FlagValue>): ParsedArguments {
    return new ParsedArguments(new Map([...defaults, ...this.#flags]), this.#arguments, this.repeated);
  }

  /** The last value given. */
  text(name: string): string | undefined {
    return this.#flags.get(name)?.values.at(-1);
  }

  /** Of a flag that the parser requires or that has a default of its own. */
  requiredText(name: string): string {
    return this.text(name) ?? "";
  }

  /** Every value, comma lists split. */
  list(name: string): readonly string[] {
    return (this.#flags.get(name)?.values ?? []).flatMap((value) => value.split(",")).filter((value) => value !== "");
  }

  /** `key=value` lists as pairs; a comma in a value is written `\,`. */
  pairs(name: string): readonly (readonly [key: string, value: string])[] {
    return (this.#flags.get(name)?.values ?? []).flatMap(splitPairs);
  }

  isSet(name: string): boolean {
    return this.count(name) > 0 || this.text(name) !== undefined;
  }

  count(name: string): number {
    return this.#flags.get(name)?.count ?? 0;
  }

  argument(name: string): string | undefined {
    return this.#arguments.get(name);
  }

  requiredArgument(name: string): string {
    return this.#arguments.get(name) ?? "";
  }

  /** Names of the flags that were given, on the command line or in the environment. */
  givenFlags(): readonly string[] {
    return [...this.#flags.keys()];
  }
}

/** The comma separates, the first `=` splits; `\,` is a comma of the value (the reference has no way to write one). */
export function splitPairs(text: string): (readonly [key: string, value: string])[] {
  return text.split(/(?<!\\),/).filter((item) => item !== "").map((item) => {
    const equals = item.indexOf("=");
    return [item.slice(0, Math.max(0, equals)), item.slice(equals + 1).replaceAll("\\,", ",")] as const;
  });
}
