/**
 * Tables of a plugin's manifest.toml, one at a time, by a scanner that knows enough of TOML (comments, the four kinds of
 * strings, arrays over several lines) to step over everything else.
 */

/** A manifest is a page of text. */
export const MANIFEST_BYTES_MAX = 65_536;
export const MANIFEST_NAME = "manifest.toml";

export type ManifestValue = string | number | readonly string[];

/** What cannot be read of the table that was asked for. */
export class ManifestProblem {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The members of `[name]`, in order, those that are wanted. Throws `ManifestProblem`. */
export function manifestTable(text: string, name: string, wanted: (key: string) => boolean = () => true): ReadonlyMap<string, ManifestValue> {
  const scanner = new Scanner(text);
  const found = new Map<string, ManifestValue>();
  let table = "";
  while (scanner.skipToStatement()) {
    const header = scanner.match(/\[\[?\s*([^\]\n]*?)\s*\]\]?/y);
    if (header !== undefined) {
      table = header;
      continue;
    }
    const key = scanner.match(/\s*"?([A-Za-z0-9_.-]+)"?\s*=[ \t]*/y);
    if (key === undefined) scanner.skipLine();
    else if (table === name && wanted(key)) found.set(key, scanner.value());
    else scanner.skipValue();
  }
  return found;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** False at the end. */
  skipToStatement(): boolean {
    this.match(/((?:\s|#[^\n]*)*)/y);
    return this.#at < this.#text.length;
  }

  /** The first group at this place, which is then behind us. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[1] ?? "";
  }

  skipLine(): void {
    this.match(/([^\n]*)/y);
  }

  /** Over one value of any kind. */
  skipValue(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      if (this.#string() !== undefined) continue;
      const character = this.#text.charAt(this.#at);
      if (character === "\n" && depth <= 0) return;
      if (character === "#") {
        this.skipLine();
        continue;
      }
      if (character === "[" || character === "{") depth += 1;
      if (character === "]" || character === "}") depth -= 1;
      this.#at += 1;
    }
  }

  value(): ManifestValue {
    const text = this.#string();
    if (text !== undefined) return text;
    const digits = this.match(/(\d[\d_]*)(?=\s|#|$)/y);
    if (digits !== undefined) return Number(digits.replaceAll("_", ""));
    if (this.match(/(\[)/y) === undefined) throw new ManifestProblem("a value is no text, number or list of texts");
    const items: string[] = [];
    for (;;) {
      this.match(/((?:[\s,]|#[^\n]*)*)/y);
      if (this.match(/(\])/y) !== undefined) return items;
      const item = this.#string();
      if (item === undefined) throw new ManifestProblem("a list holds something that is no text, or does not end");
      items.push(item);
    }
  }

  /** The content of a string that begins here. Of escapes only quotes and backslashes are read: nothing that is asked for needs others. */
  #string(): string | undefined {
    return (
      this.match(/"""([^]*?)"""/y) ?? this.match(/'''([^]*?)'''/y) ?? this.match(/"((?:[^"\\\n]|\\.)*)"/y)?.replaceAll(/\\(["\\])/g, "$1") ?? this.match(/'([^'\n]*)'/y)
    );
  }
}
