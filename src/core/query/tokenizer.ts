/** SQL text to tokens with offsets. Comments vanish here; nothing of the text survives except through a token. */
import { SQL_TEXT_CHARACTERS_MAX, SQL_TOKENS_MAX } from "./limits.ts";
import { syntaxError } from "./sql-error.ts";

export type TokenKind = "word" | "quoted" | "string" | "number" | "operator" | "parameter" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Words as written, quoted names and strings without quotes, parameters without `$`. */
  readonly text: string;
  /** Upper case of a word; the text itself otherwise. */
  readonly upper: string;
  readonly offset: number;
}

const OPERATORS = ["!~~*", "!~*", "!~~", "~~*", "<=>", "::", "<=", ">=", "<>", "!=", "<<", ">>", "||", "!~", "~*", "~~", "->", "=>"];
const SINGLE = "+-*/%=<>(),.;[]~&|^:#!";
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;

interface Scan {
  readonly text: string;
  at: number;
}

/** Throws `query.invalid` for text that is too long or holds what no token starts with. */
export function tokenize(text: string): readonly Token[] {
  if (text.length > SQL_TEXT_CHARACTERS_MAX) {
    throw syntaxError(text, 0, `Query text is longer than ${SQL_TEXT_CHARACTERS_MAX} characters`);
  }
  const scan: Scan = { text, at: 0 };
  const tokens: Token[] = [];
  for (;;) {
    skipBlanks(scan);
    if (scan.at >= text.length) break;
    if (tokens.length >= SQL_TOKENS_MAX) throw syntaxError(text, scan.at, `Query has more than ${SQL_TOKENS_MAX} tokens`);
    tokens.push(nextToken(scan));
  }
  tokens.push({ kind: "end", text: "EOF", upper: "EOF", offset: text.length });
  return tokens;
}

function skipBlanks(scan: Scan): void {
  const { text } = scan;
  for (;;) {
    const code = text.charCodeAt(scan.at);
    if (code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0xfeff) scan.at++;
    else if (text.startsWith("--", scan.at)) {
      const end = text.indexOf("\n", scan.at);
      scan.at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith("/*", scan.at)) skipBlockComment(scan);
    else return;
  }
}

/** Block comments nest, as in PostgreSQL. */
function skipBlockComment(scan: Scan): void {
  const start = scan.at;
  let depth = 0;
  do {
    if (scan.text.startsWith("/*", scan.at)) {
      depth++;
      scan.at += 2;
    } else if (scan.text.startsWith("*/", scan.at)) {
      depth--;
      scan.at += 2;
    } else if (++scan.at >= scan.text.length) {
      throw syntaxError(scan.text, start, "Unterminated comment");
    }
  } while (depth > 0);
}

function nextToken(scan: Scan): Token {
  const { text, at } = scan;
  const first = text[at] as string;
  if (first === "'") return quoted(scan, "'", "string");
  if (first === '"') return quoted(scan, '"', "quoted");
  if (first === "$") return parameter(scan);
  if ((first >= "0" && first <= "9") || (first === "." && /[0-9]/.test(text[at + 1] ?? ""))) return matched(scan, NUMBER, "number");
  const word = matchAt(WORD, text, at);
  if (word !== undefined) return take(scan, "word", word, word.length);
  const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at)) ?? (SINGLE.includes(first) ? first : undefined);
  if (operator === undefined) throw syntaxError(text, at, `Unexpected character '${first}'`);
  return take(scan, "operator", operator, operator.length);
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function matched(scan: Scan, pattern: RegExp, kind: TokenKind): Token {
  const found = matchAt(pattern, scan.text, scan.at) as string;
  const token = take(scan, kind, found, found.length);
  if (matchAt(WORD, scan.text, scan.at) !== undefined) {
    throw syntaxError(scan.text, scan.at, `Unexpected text after number ${found}`);
  }
  return token;
}

function take(scan: Scan, kind: TokenKind, text: string, size: number): Token {
  const offset = scan.at;
  scan.at += size;
  return { kind, text, upper: kind === "word" ? text.toUpperCase() : text, offset };
}

function quoted(scan: Scan, quote: string, kind: TokenKind): Token {
  const { text } = scan;
  const start = scan.at;
  let value = "";
  let at = start + 1;
  for (;;) {
    const end = text.indexOf(quote, at);
    if (end < 0) throw syntaxError(text, start, kind === "string" ? "Unterminated string literal" : "Expected close delimiter '\\\"' before EOF");
    value += text.slice(at, end);
    at = end + 1;
    if (text[at] !== quote) break;
    value += quote;
    at++;
  }
  scan.at = at;
  if (kind === "quoted" && value === "") throw syntaxError(text, start, "Empty quoted identifier");
  return { kind, text: value, upper: value, offset: start };
}

function parameter(scan: Scan): Token {
  const name = /[\p{L}\p{N}_]+/uy;
  const found = matchAt(name, scan.text, scan.at + 1);
  if (found === undefined) throw syntaxError(scan.text, scan.at, "Expected: parameter name after '$'");
  return take(scan, "parameter", found, found.length + 1);
}
