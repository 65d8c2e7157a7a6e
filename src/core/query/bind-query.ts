/** Queries around their SELECTs: WITH, set operations, VALUES, ORDER BY of those, LIMIT and OFFSET. */
import { directionSql } from "./bind-call.ts";
import { BindContext, type BindOptions, type BoundQuery, type CommonTable, type ExpressionScope, type OutputColumn } from "./bind-context.ts";
import { bindExpression } from "./bind-expression.ts";
import { EMPTY_SCOPE } from "./bind-relation.ts";
import { bindSelect } from "./bind-select.ts";
import type { Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import type { Scope } from "./scope.ts";
import { planError } from "./sql-error.ts";
import type { Expression, OrderItem, Query, QueryBody, SetOperation, Values } from "./syntax.ts";
import { commonType, isInteger, NULL, sameType, type SqlType } from "./types.ts";

/** Binds a whole query; the scans it needs are in `context.scans` afterwards. */
export function bindTop(query: Query, options: BindOptions): { readonly bound: BoundQuery; readonly context: BindContext } {
  const context = new BindContext(options);
  const at: ExpressionScope = {
    context, scope: EMPTY_SCOPE, commonTables: [], aggregates: false, windowsAllowed: false, groups: new Map(), windows: new Map(), aliases: new Map(),
    bindQuery, bind: bindExpression,
  };
  return { bound: bindQuery(query, at), context };
}

function bindQuery(query: Query, outer: ExpressionScope): BoundQuery {
  const [withSql, at] = bindWith(query, outer);
  const simple = query.body.kind === "select";
  const body = query.body.kind === "select" ? bindSelect(query.body, query.orderBy, at) : bindBody(query.body, at);
  const ordered = simple || query.orderBy.length === 0 ? body : orderBody(body, query.orderBy, at);
  const limit = countSql("LIMIT", query.limit, at);
  const offset = countSql("OFFSET", query.offset, at);
  const sql = `${withSql}${ordered.sql}${limit}${offset}`;
  at.context.count(sql);
  return { sql, columns: ordered.columns };
}

function bindWith(query: Query, outer: ExpressionScope): [string, ExpressionScope] {
  if (query.with.length === 0) return ["", outer];
  const parts: string[] = [];
  let at = outer;
  for (const { name, columns, query: inner } of query.with) {
    if (query.with.filter((other) => other.name.name === name.name).length > 1) {
      throw planError(`WITH query name "${name.name}" specified more than once`, { position: at.context.position(name.at) });
    }
    const bound = bindQuery(inner, at);
    const sqlName = at.context.alias();
    const named = bound.columns.map((column, index): OutputColumn => ({ name: columns[index]?.name ?? column.name, type: column.type }));
    const table: CommonTable = { name: name.name, sqlName, columns: named };
    parts.push(`${sqlName} AS (${bound.sql})`);
    at = { ...at, commonTables: [table, ...at.commonTables] };
  }
  return [`WITH ${parts.join(", ")} `, at];
}

function countSql(word: "LIMIT" | "OFFSET", expression: Expression | undefined, at: ExpressionScope): string {
  if (expression === undefined) return "";
  const bound = at.bind(expression, { ...at, scope: EMPTY_SCOPE });
  if (bound.type.kind === "null") return "";
  const position = at.context.position(expression.at);
  if (bound.constant?.kind !== "integer" || !isInteger(bound.type)) throw planError(`Expected ${word} to be an integer constant`, { position });
  if (bound.constant.value < 0n) throw planError(`${word} must be >= 0, '${bound.constant.value}' was provided.`, { position });
  return ` ${word} ${bound.constant.value}`;
}

function bindBody(body: QueryBody, at: ExpressionScope): BoundQuery {
  switch (body.kind) {
    case "select":
      return bindSelect(body, [], at);
    case "values":
      return bindValues(body, at);
    case "nested": {
      const bound = bindQuery(body.query, at);
      return { sql: `SELECT * FROM (${bound.sql})`, columns: bound.columns };
    }
    case "set":
      return bindSet(body, at);
  }
}

function bindValues(values: Values, at: ExpressionScope): BoundQuery {
  const rows = values.rows.map((row) => row.map((cell) => at.bind(cell, { ...at, aggregates: false, windowsAllowed: false })));
  const width = rows[0]?.length ?? 0;
  const position = at.context.position(values.at);
  const uneven = rows.findIndex((row) => row.length !== width);
  if (uneven >= 0) throw planError(`Inconsistent data length across values list: got ${rows[uneven]?.length} values in row ${uneven} but expected ${width}`, { position });
  const types = Array.from({ length: width }, (_, index) => rows.reduce((type: SqlType, row) => columnType(type, row[index] as Bound, at, values.at), NULL));
  const sql = rows.map((row) => `(${row.map((cell, index) => castTo(cell, types[index] as SqlType, position).sql).join(", ")})`).join(", ");
  const alias = at.context.alias();
  const names = types.map((_, index) => `c${index}`).join(", ");
  return { sql: `SELECT * FROM (VALUES ${sql}) AS ${alias}(${names})`, columns: types.map((type, index) => ({ name: `column${index + 1}`, type })) };
}

function columnType(type: SqlType, cell: Bound, at: ExpressionScope, offset: number): SqlType {
  const common = commonType(type, cell.type);
  if (common === undefined) throw planError("VALUES rows have no common type", { position: at.context.position(offset) });
  return common;
}

function bindSet(body: SetOperation, at: ExpressionScope): BoundQuery {
  const [left, right] = [bindBody(body.left, at), bindBody(body.right, at)];
  const word = body.operator.toUpperCase();
  const position = at.context.position(body.at);
  if (left.columns.length !== right.columns.length) {
    throw planError(`${word} queries have different number of columns: left has ${left.columns.length} columns whereas right has ${right.columns.length} columns`, { position });
  }
  const columns = left.columns.map((column, index): OutputColumn => {
    const type = commonType(column.type, (right.columns[index] as OutputColumn).type);
    if (type === undefined) throw planError(`${word} columns at position ${index + 1} have no common type`, { position });
    return { name: column.name, type };
  });
  return { sql: `(${converted(left, columns)}) ${word}${body.all ? " ALL" : ""} (${converted(right, columns)})`, columns };
}

/** The query with its columns cast to the set operation's types. */
function converted(query: BoundQuery, columns: readonly OutputColumn[]): string {
  if (query.columns.every((column, index) => sameType(column.type, (columns[index] as OutputColumn).type))) return query.sql;
  const casts = query.columns.map((column, index) => {
    const bound: Bound = { sql: `c${index}`, type: column.type, name: "", aggregate: false, window: false };
    return `${castTo(bound, (columns[index] as OutputColumn).type).sql} AS c${index}`;
  });
  return `SELECT ${casts.join(", ")} FROM (${query.sql})`;
}

/** ORDER BY over a set operation or VALUES sees the output columns only. */
function orderBody(body: BoundQuery, orderBy: readonly OrderItem[], at: ExpressionScope): BoundQuery {
  const alias = at.context.alias();
  const columns = body.columns.map((column, index) => ({ name: column.name, type: column.type, sql: `${alias}.c${index}`, qualifier: undefined }));
  const scope: Scope = { parent: undefined, relations: [{ names: [], columns }], merged: [] };
  const items = orderBy.map((item) => {
    const { expression } = item;
    const ordinal = expression.kind === "literal" && expression.value.kind === "number" ? Number(expression.value.text) : undefined;
    if (ordinal === undefined) return `${at.bind(expression, { ...at, scope }).sql}${directionSql(item)}`;
    if (ordinal < 1 || ordinal > columns.length) throw planError(`Order by column out of bounds, specified: ${ordinal}, max: ${columns.length}`, { position: at.context.position(expression.at) });
    return `${columns[ordinal - 1]?.sql}${directionSql(item)}`;
  });
  return { sql: `SELECT * FROM (${body.sql}) AS ${alias} ORDER BY ${items.join(", ")}`, columns: body.columns };
}

