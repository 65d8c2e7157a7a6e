/**
 * What a plugin asks for: the table `[grants]` of its manifest.toml. Only this table is read, by a scanner that knows enough
 * of TOML (comments, the four kinds of strings, arrays over several lines) to step over everything else.
 */
import { DatabaseError } from "../errors/database-error.ts";
import { type OwnGrants, parseGrants } from "./grants.ts";

/** A manifest is a page of text. */
export const MANIFEST_BYTES_MAX = 65_536;

type Value = string | number | readonly string[];

/** Throws `trigger.invalid_settings` for a table that cannot be read or asks for what there is not. */
export function manifestGrants(text: string): OwnGrants {
  const scanner = new Scanner(text);
  const asked = new Map<string, Value>();
  let table = "";
  while (scanner.skipToStatement()) {
    const header = scanner.match(/\[\[?\s*([^\]\n]*?)\s*\]\]?/y);
    if (header !== undefined) {
      table = header;
      continue;
    }
    const key = scanner.match(/\s*"?([A-Za-z0-9_.-]+)"?\s*=[ \t]*/y);
    if (key === undefined) scanner.skipLine();
    else if (table === "grants") asked.set(key, scanner.value());
    else scanner.skipValue();
  }
  return parseGrants(asked);
}

function unreadable(what: string): DatabaseError {
  return new DatabaseError("trigger.invalid_settings", {
    message: `The table [grants] of the plugin's manifest.toml cannot be read: ${what}`,
    hint: 'write it as in net = ["example.org:443"], scratch = "16mb"',
  });
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

  value(): Value {
    const text = this.#string();
    if (text !== undefined) return text;
    const digits = this.match(/(\d[\d_]*)(?=\s|#|$)/y);
    if (digits !== undefined) return Number(digits.replaceAll("_", ""));
    if (this.match(/(\[)/y) === undefined) throw unreadable("a value is no text, number or list of texts");
    const items: string[] = [];
    for (;;) {
      this.match(/((?:[\s,]|#[^\n]*)*)/y);
      if (this.match(/(\])/y) !== undefined) return items;
      const item = this.#string();
      if (item === undefined) throw unreadable("a list holds something that is no text, or does not end");
      items.push(item);
    }
  }

  /** The content of a string that begins here; escapes stay as they are, since no grant needs one. */
  #string(): string | undefined {
    return (
      this.match(/"""([^]*?)"""/y) ?? this.match(/'''([^]*?)'''/y) ?? this.match(/"((?:[^"\\\n]|\\.)*)"/y) ?? this.match(/'([^'\n]*)'/y)
    );
  }
}
