/** The gate's first half: one statement of a listed kind, nothing before it and nothing after it. */
import { notImplemented, positionOf } from "./sql-error.ts";
import { parseQuery } from "./parse-query.ts";
import { parseTablePath } from "./parse-relation.ts";
import type { Statement } from "./syntax.ts";
import { TokenCursor } from "./token-cursor.ts";
import { tokenize } from "./tokenizer.ts";

/** DataFusion plans these under the given class and then refuses them; anything else it cannot even parse. */
const REFUSED: Readonly<Record<string, "DDL" | "DML" | "Statement">> = {
  CREATE: "DDL", DROP: "DDL", ALTER: "DDL", TRUNCATE: "DDL",
  INSERT: "DML", UPDATE: "DML", DELETE: "DML", COPY: "DML", MERGE: "DML", REPLACE: "DML", UPSERT: "DML",
  SET: "Statement", RESET: "Statement", BEGIN: "Statement", START: "Statement", COMMIT: "Statement", ROLLBACK: "Statement",
  PREPARE: "Statement", EXECUTE: "Statement", DEALLOCATE: "Statement", USE: "Statement", CALL: "Statement", GRANT: "Statement", REVOKE: "Statement",
  PRAGMA: "Statement", ATTACH: "Statement", DETACH: "Statement", INSTALL: "Statement", LOAD: "Statement", EXPORT: "Statement", IMPORT: "Statement",
  VACUUM: "Statement", CHECKPOINT: "Statement", ANALYZE: "Statement", KILL: "Statement", LOCK: "Statement", DECLARE: "Statement",
};

/** Parses exactly one statement. Throws `query.invalid` (syntax) or `query.not_implemented` (other statements). */
export function parseStatement(text: string): Statement {
  const cursor = new TokenCursor(text, tokenize(text), parseQuery);
  if (cursor.peek(0).text === "EOF" && cursor.peek(0).offset === text.length) throw cursor.fail("No SQL statements were provided in the query string");
  const statement = parseKind(cursor);
  while (cursor.takeOperator(";"));
  if (cursor.current.kind !== "end") {
    throw cursor.isWord("FORMAT") || cursor.peek(-1).text !== ";"
      ? cursor.expected("end of statement")
      : notImplemented("The context currently only supports a single SQL statement", { hint: "send the statements one by one" });
  }
  return statement;
}

function parseKind(cursor: TokenCursor): Statement {
  const refused = cursor.current.kind === "word" ? REFUSED[cursor.current.upper] : undefined;
  if (refused !== undefined) {
    throw notImplemented(`${refused} statements are not supported: ${cursor.current.upper}`, {
      position: positionOf(cursor.text, cursor.at),
      hint: "queries only read: SELECT, VALUES, EXPLAIN, SHOW TABLES, SHOW COLUMNS, DESCRIBE",
    });
  }
  if (cursor.takeWords("EXPLAIN")) {
    const analyze = cursor.takeWords("ANALYZE");
    const verbose = cursor.takeWords("VERBOSE");
    // Whatever the format, the plan is one text.
    if (cursor.takeWords("FORMAT")) cursor.identifier(true);
    return { kind: "explain", analyze, verbose, query: parseQuery(cursor) };
  }
  if (cursor.takeWords("SHOW")) return parseShow(cursor);
  if (cursor.takeWords("DESCRIBE") || cursor.takeWords("DESC")) {
    if (["SELECT", "WITH", "VALUES"].some((word) => cursor.isWord(word))) return { kind: "describe-query", query: parseQuery(cursor) };
    cursor.takeWords("TABLE");
    return { kind: "describe", at: cursor.at, path: parseTablePath(cursor) };
  }
  return { kind: "query", query: parseQuery(cursor) };
}

function parseShow(cursor: TokenCursor): Statement {
  if (cursor.takeWords("TABLES")) return { kind: "show-tables" };
  if (cursor.takeWords("COLUMNS")) {
    if (!cursor.takeWords("FROM") && !cursor.takeWords("IN")) throw cursor.expected("FROM after SHOW COLUMNS");
    return { kind: "show-columns", at: cursor.at, path: parseTablePath(cursor) };
  }
  if (cursor.takeWords("FUNCTIONS")) return { kind: "show-functions" };
  if (cursor.takeWords("ALL")) return { kind: "show-all" };
  if (cursor.isWord("DATAFUSION") || cursor.isWord("IOX")) return { kind: "show-variable", name: parseTablePath(cursor).map((part) => part.name).join(".") };
  throw notImplemented(`SHOW ${cursor.current.upper} is not supported`, {
    position: positionOf(cursor.text, cursor.at),
    hint: "SHOW TABLES, SHOW COLUMNS FROM <table>, SHOW ALL and SHOW FUNCTIONS are",
  });
}
