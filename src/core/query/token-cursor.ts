/** A position in a token list with the expectations of a recursive-descent parser. Depth is counted here. */
import { SQL_DEPTH_MAX } from "./limits.ts";
import { syntaxError } from "./sql-error.ts";
import type { DatabaseError } from "../errors/database-error.ts";
import type { Identifier, Query } from "./syntax.ts";
import type { Token } from "./tokenizer.ts";

/** Words that end an expression or a relation and so are never taken as an implicit alias or a bare column. */
const RESERVED = new Set(
  ("ALL AND ANTI AS ASC BETWEEN BY CASE CROSS DESC DISTINCT ELSE END EXCEPT FETCH FOR FROM FULL GROUP HAVING IN INNER INTERSECT " +
    "INTO IS JOIN LEFT LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER QUALIFY RIGHT SELECT SEMI SET THEN UNION USING WHEN WHERE " +
    "WINDOW WITH ILIKE LIKE SIMILAR LATERAL OVER FILTER ASOF POSITIONAL TABLESAMPLE PIVOT UNPIVOT").split(" "),
);

export class TokenCursor {
  readonly text: string;
  /** Set by the query parser: expressions hold queries and queries hold expressions. */
  readonly parseQuery: (cursor: TokenCursor) => Query;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(text: string, tokens: readonly Token[], parseQuery: (cursor: TokenCursor) => Query) {
    this.text = text;
    this.#tokens = tokens;
    this.parseQuery = parseQuery;
  }

  get current(): Token {
    return this.peek(0);
  }

  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)] as Token;
  }

  get at(): number {
    return this.current.offset;
  }

  advance(): Token {
    const token = this.current;
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return token;
  }

  /** Position to come back to with `rewind`. */
  mark(): number {
    return this.#index;
  }

  rewind(mark: number): void {
    this.#index = mark;
  }

  isWord(...words: readonly string[]): boolean {
    return words.every((word, ahead) => {
      const token = this.peek(ahead);
      return token.kind === "word" && token.upper === word;
    });
  }

  /** Consumes the words if all of them come next. */
  takeWords(...words: readonly string[]): boolean {
    if (!this.isWord(...words)) return false;
    this.#index += words.length;
    return true;
  }

  expectWord(word: string): void {
    if (!this.takeWords(word)) throw this.expected(word);
  }

  isOperator(operator: string): boolean {
    return this.current.kind === "operator" && this.current.text === operator;
  }

  takeOperator(operator: string): boolean {
    if (!this.isOperator(operator)) return false;
    this.advance();
    return true;
  }

  expectOperator(operator: string): void {
    if (!this.takeOperator(operator)) throw this.expected(operator);
  }

  /** A name: quoted, or a word. `reserved` words are refused unless told. */
  identifier(allowReserved = false): Identifier {
    const token = this.current;
    if (token.kind === "quoted") return { name: this.advance().text, at: token.offset };
    if (token.kind !== "word" || (!allowReserved && RESERVED.has(token.upper))) throw this.expected("identifier");
    return { name: this.advance().text.toLowerCase(), at: token.offset };
  }

  /** The name after AS, where every word is one, and a single-quoted text too. */
  alias(): Identifier {
    const token = this.current;
    return token.kind === "string" ? { name: this.advance().text, at: token.offset } : this.identifier(true);
  }

  /** True when the next token can be an alias written without AS. */
  startsName(): boolean {
    return this.current.kind === "quoted" || (this.current.kind === "word" && !RESERVED.has(this.current.upper));
  }

  /** True for a word that cannot be a name here, such as FROM where an expression is wanted. */
  isReserved(): boolean {
    return this.current.kind === "word" && RESERVED.has(this.current.upper);
  }

  /** Consumes `(…)` with whatever balanced text it holds. */
  skipParentheses(): void {
    this.expectOperator("(");
    for (let depth = 1; depth > 0; ) {
      const token = this.advance();
      if (token.kind === "end") throw this.expected(")");
      if (token.kind === "operator" && token.text === "(") depth++;
      if (token.kind === "operator" && token.text === ")") depth--;
    }
  }

  /** Names in parentheses. */
  identifierList(): Identifier[] {
    this.expectOperator("(");
    const names = [this.identifier()];
    while (this.takeOperator(",")) names.push(this.identifier());
    this.expectOperator(")");
    return names;
  }

  expected(what: string): DatabaseError {
    const found = this.current;
    return syntaxError(this.text, found.offset, `Expected: ${what}, found: ${found.text.slice(0, 60).replaceAll('"', '\\"')}`);
  }

  fail(message: string, at = this.at, hint?: string): DatabaseError {
    return syntaxError(this.text, at, message, hint);
  }

  /** Runs one level deeper; nesting beyond the limit is refused before the stack is at risk. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= SQL_DEPTH_MAX) throw this.fail(`Query is nested deeper than ${SQL_DEPTH_MAX} levels`);
    this.#depth++;
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }
}
