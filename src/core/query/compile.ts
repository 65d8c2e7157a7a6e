/**
 * Text to a checked plan: what the engine runs, what it reads, what comes out. Every statement ends here or in a
 * `DatabaseError`; nothing of the user's text is in `sql` except as a literal of ours.
 */
import type { BindOptions, Scan } from "./bind-context.ts";
import { type DirectPlan, planDirect } from "./direct/plan.ts";
import { bindTop } from "./bind-query.ts";
import { resolveTable } from "./bind-relation.ts";
import { BindContext } from "./bind-context.ts";
import { stringSql } from "./bound.ts";
import { ENGINE_SETTINGS } from "./metadata.ts";
import { planError } from "./sql-error.ts";
import { parseQuery } from "./parse-query.ts";
import { parseStatement } from "./parse-statement.ts";
import type { ResultColumn } from "./query-stream.ts";
import type { Identifier, Query } from "./syntax.ts";
import { TokenCursor } from "./token-cursor.ts";
import { tokenize } from "./tokenizer.ts";
import { arrowName, UTF8, type SqlType } from "./types.ts";

export interface CompiledQuery {
  readonly sql: string;
  readonly columns: readonly ResultColumn[];
  readonly scans: readonly Scan[];
  /** What our own executor would do; undefined: the statement is for the engine. */
  readonly direct?: DirectPlan | undefined;
  /** It asks how the statement would be answered. */
  readonly explains?: CompiledQuery;
}

/** Throws `query.invalid` and `query.not_implemented`. */
export function compileStatement(options: BindOptions): CompiledQuery {
  const statement = parseStatement(options.text);
  switch (statement.kind) {
    case "query":
      return compileQuery(statement.query, options);
    case "explain":
      return compileExplain(statement.query, statement.analyze, options);
    case "show-tables":
      return compileText("SELECT * FROM information_schema.tables", options, []);
    case "show-functions":
      return compileText("SELECT routine_name AS function_name, function_type FROM information_schema.routines", options, []);
    case "show-all":
      return compileText("SELECT name, value FROM information_schema.df_settings", options, []);
    case "show-variable":
      return showVariable(statement.name, options);
    case "describe-query":
      return describeQuery(compileQuery(statement.query, options));
    case "show-columns":
      return describeTable(statement.path, "table_catalog, table_schema, table_name, column_name, data_type, is_nullable", options);
    case "describe":
      return describeTable(statement.path, "column_name, data_type, is_nullable", options);
  }
}

function compileQuery(query: Query, options: BindOptions): CompiledQuery {
  const { bound, context } = bindTop(query, options);
  const columns = bound.columns.map(({ name, type }): ResultColumn => ({ name, type: arrowName(type), sqlType: type }));
  return { sql: readable(bound.sql, columns), columns, scans: context.scans, direct: planDirect(query, bound.columns, context) };
}

/** Decimals leave the engine as text; the renderers print them as numbers. */
function readable(sql: string, columns: readonly ResultColumn[]): string {
  if (!columns.some((column) => column.sqlType.kind === "decimal")) return sql;
  const items = columns.map((column, index) => (column.sqlType.kind === "decimal" ? `CAST(c${index} AS VARCHAR) AS c${index}` : `c${index}`));
  return `SELECT ${items.join(", ")} FROM (${sql})`;
}

const textColumn = (name: string): ResultColumn => ({ name, type: arrowName(UTF8), sqlType: UTF8 });

function compileExplain(query: Query, analyze: boolean, options: BindOptions): CompiledQuery {
  const plan = compileQuery(query, options);
  return { sql: `EXPLAIN ${analyze ? "ANALYZE " : ""}${plan.sql}`, columns: [textColumn("plan_type"), textColumn("plan")], scans: plan.scans, direct: undefined, explains: plan };
}

/** A query of our own over the metadata, with parameters for what the user named. */
function compileText(text: string, options: BindOptions, parameters: readonly (readonly [string, string])[]): CompiledQuery {
  const query = parseQuery(new TokenCursor(text, tokenize(text), parseQuery));
  return compileQuery(query, { ...options, text, parameters: new Map(parameters) });
}

function describeTable(path: readonly Identifier[], columns: string, options: BindOptions): CompiledQuery {
  const { schema, name } = resolveTable(path, new BindContext(options));
  return compileText(`SELECT ${columns} FROM information_schema.columns WHERE table_schema = $schema AND table_name = $name ORDER BY ordinal_position`, options, [
    ["schema", schema],
    ["name", name],
  ]);
}

function showVariable(name: string, options: BindOptions): CompiledQuery {
  if (!ENGINE_SETTINGS.some(([setting]) => setting === name)) throw planError(`'${name}' is not a variable which can be viewed with 'SHOW'`, { hint: "SHOW ALL lists them" });
  return compileText("SELECT name, value FROM information_schema.df_settings WHERE name = $name", options, [["name", name]]);
}

/** The columns a query would have; nothing of it runs. */
function describeQuery(query: CompiledQuery): CompiledQuery {
  const rows = query.columns.map(({ name, type }) => `(${stringSql(name)}, ${stringSql(type)}, 'YES')`).join(", ");
  return { sql: `SELECT * FROM (VALUES ${rows}) AS r(c0, c1, c2)`, columns: [textColumn("column_name"), textColumn("data_type"), textColumn("is_nullable")], scans: [] };
}

/** Types of the result's columns, in order. */
export const resultTypes = (query: CompiledQuery): readonly SqlType[] => query.columns.map((column) => column.sqlType);
