/** One SELECT: scope from FROM, then items, groups and order. Output columns are `c0…` whatever the user calls them. */
import { directionSql } from "./bind-call.ts";
import type { BoundQuery, ExpressionScope, OutputColumn } from "./bind-context.ts";
import { bindGroups, checkGrouped, gapfillOf } from "./bind-group.ts";
import { asBoolean } from "./bind-operators.ts";
import { bindRelation, EMPTY_SCOPE, type BoundRelation } from "./bind-relation.ts";
import type { Bound } from "./bound.ts";
import { SQL_COLUMNS_MAX } from "./limits.ts";
import { shownName, type Scope, type ScopeColumn } from "./scope.ts";
import { planError, schemaError } from "./sql-error.ts";
import type { Expression, OrderItem, Select, SelectItem } from "./syntax.ts";
import { narrowScans } from "./scan-tests.ts";
import { engineName } from "./types.ts";

interface Item {
  readonly bound: Bound;
  readonly name: string;
  readonly expression: Expression | undefined;
  readonly alias: string | undefined;
}

/** Binds a SELECT with the ORDER BY that belongs to it; LIMIT is the caller's. */
export function bindSelect(select: Select, orderBy: readonly OrderItem[], at: ExpressionScope): BoundQuery {
  const from = bindFrom(select, at);
  const scope: Scope = { parent: at.scope === EMPTY_SCOPE ? undefined : at.scope, relations: from?.relations ?? [], merged: from?.merged ?? [] };
  const plain: ExpressionScope = {
    ...at, scope, aggregates: false, windowsAllowed: false, groups: new Map(), aliases: new Map(),
    windows: new Map(select.windows.map((window) => [window.name.name, window.window])),
  };
  const where = select.where === undefined ? undefined : asBoolean(plain.bind(select.where, plain), at.context.position(select.where.at));
  at.context.selects.set(select, { at: plain, whereCovered: select.where === undefined || narrowScans(select.where, plain) });
  const gapfill = gapfillOf(select, plain);
  const grouping = bindGroups(select, { ...plain, gapfill });
  const output: ExpressionScope = { ...plain, aggregates: true, windowsAllowed: true, groups: grouping.shown, gapfill };
  const items = select.items.flatMap((item) => bindItem(item, from, output));
  if (items.length > SQL_COLUMNS_MAX) throw planError(`Query has more than ${SQL_COLUMNS_MAX} columns`);
  const aliases = new Map(items.flatMap((item) => (item.alias !== undefined && item.expression !== undefined ? [[item.alias, item.expression] as const] : [])));
  const having = select.having === undefined ? undefined : asBoolean(bindHaving(select.having, { ...output, windowsAllowed: false }, aliases), at.context.position(select.having.at));
  const qualify = select.qualify === undefined ? undefined : asBoolean(bindHaving(select.qualify, output, aliases), at.context.position(select.qualify.at));
  const order = orderBy.map((item) => bindOrder(item, items, output));
  const all = [...items.map((item) => item.bound), ...(having === undefined ? [] : [having]), ...order.flatMap((entry) => (entry.bound === undefined ? [] : [entry.bound]))];
  checkGrouped(select, grouping, all, plain);
  checkNames(items, select);
  const filtered = where === undefined || select.where === undefined ? undefined : { sql: where.sql, expression: select.where };
  const rows = gapfill === undefined || from === undefined ? plainRows(from?.sql, where?.sql, grouping.sql, having?.sql) : filledRows(gapfill.source(from.sql, filtered, plain), having?.sql);
  const ordered = order.map((entry) => entry.sql);
  if (gapfill !== undefined && ordered.length === 0 && !select.distinct) ordered.push(gapfill.defaultOrder());
  const sql = [
    `SELECT ${distinctSql(select, items, output)}${items.map((item, index) => `${itemSql(item.bound)} AS c${index}`).join(", ")}`,
    ...rows,
    ...(qualify === undefined ? [] : [`QUALIFY ${qualify.sql}`]),
    ...(ordered.length === 0 ? [] : [`ORDER BY ${ordered.join(", ")}`]),
  ].join(" ");
  at.context.count(sql);
  return { sql, columns: items.map((item): OutputColumn => ({ name: item.name, type: item.bound.type })) };
}

function plainRows(from: string | undefined, where: string | undefined, groups: string | undefined, having: string | undefined): string[] {
  const clause = (word: string, sql: string | undefined): string[] => (sql === undefined ? [] : [`${word} ${sql}`]);
  return [...clause("FROM", from), ...clause("WHERE", where), ...clause("GROUP BY", groups), ...clause("HAVING", having)];
}

/** Groups are rows already: HAVING filters them as WHERE does. */
const filledRows = (source: string, having: string | undefined): string[] => [`FROM ${source}`, ...(having === undefined ? [] : [`WHERE ${having}`])];

/** A bare NULL gets a type the engine can name. */
const itemSql = (bound: Bound): string => (bound.type.kind === "null" ? `CAST(NULL AS ${engineName(bound.type)})` : bound.sql);

function bindFrom(select: Select, at: ExpressionScope): BoundRelation | undefined {
  // Relations see what is outside this SELECT; the marker scope in between is this SELECT itself.
  const marker: ExpressionScope = { ...at, scope: { parent: at.scope, relations: [], merged: [] } };
  const bound = select.from.map((relation) => bindRelation(relation, marker));
  if (bound.length === 0) return undefined;
  return {
    sql: bound.map((relation) => relation.sql).join(", "),
    relations: bound.flatMap((relation) => relation.relations),
    merged: bound.flatMap((relation) => relation.merged),
    star: bound.flatMap((relation) => relation.star),
  };
}

function bindItem(item: SelectItem, from: BoundRelation | undefined, at: ExpressionScope): Item[] {
  if (item.kind === "star") return bindStar(item, from, at);
  const bound = at.bind(item.expression, at);
  const alias = item.alias?.name;
  const plainName = item.expression.kind === "column" ? item.expression.path[item.expression.path.length - 1]?.name : undefined;
  return [{ bound, name: alias ?? plainName ?? bound.name, expression: item.expression, alias }];
}

function bindStar(item: Extract<SelectItem, { kind: "star" }>, from: BoundRelation | undefined, at: ExpressionScope): Item[] {
  const position = at.context.position(item.at);
  if (from === undefined) throw planError("SELECT * with no tables specified is not valid", { position });
  const qualifier = item.qualifier.map((part) => part.name).join(".");
  const relation = qualifier === "" ? undefined : from.relations.find((candidate) => candidate.names.includes(qualifier));
  if (qualifier !== "" && relation === undefined) throw planError(`Invalid qualifier ${qualifier}`, { position });
  const all = relation?.columns ?? from.star;
  const except = new Set(item.except.map((name) => name.name));
  for (const name of item.except) {
    if (!all.some((column) => column.name === name.name)) throw schemaError(`No field named ${shownName(name.name)}.`, { position: at.context.position(name.at) });
  }
  return all.filter((column) => !except.has(column.name)).map((column) => starItem(column, at));
}

function starItem(column: ScopeColumn, at: ExpressionScope): Item {
  const shown = column.qualifier === undefined ? shownName(column.name) : `${column.qualifier}.${shownName(column.name)}`;
  const bound: Bound = {
    sql: at.groups.get(column.sql) ?? column.sql, type: column.type, name: shown, aggregate: false, window: false, loose: at.groups.has(column.sql) ? undefined : shown,
  };
  return { bound, name: column.name, expression: undefined, alias: undefined };
}

/** HAVING and QUALIFY see the output's aliases where no input column has the name. */
function bindHaving(expression: Expression, at: ExpressionScope, aliases: ReadonlyMap<string, Expression>): Bound {
  const inputs = new Set(at.scope.relations.flatMap((relation) => relation.columns.map((column) => column.name)));
  return at.bind(expression, { ...at, aliases: new Map([...aliases].filter(([name]) => !inputs.has(name))) });
}

/** ORDER BY: an ordinal, an output name, or any expression over the input. */
function bindOrder(item: OrderItem, items: readonly Item[], at: ExpressionScope): { sql: string; bound?: Bound } {
  const index = outputIndex(item.expression, items, at);
  if (index !== undefined) return { sql: `${index + 1}${directionSql(item)}` };
  const aliases = new Map(items.flatMap((entry) => (entry.alias !== undefined && entry.expression !== undefined ? [[entry.alias, entry.expression] as const] : [])));
  const bound = bindHaving(item.expression, at, aliases);
  return { sql: `${bound.sql}${directionSql(item)}`, bound };
}

function outputIndex(expression: Expression, items: readonly Item[], at: ExpressionScope): number | undefined {
  if (expression.kind === "literal" && expression.value.kind === "number" && /^\d+$/.test(expression.value.text)) {
    const ordinal = Number(expression.value.text);
    if (ordinal < 1 || ordinal > items.length) {
      throw planError(`Order by column out of bounds, specified: ${ordinal}, max: ${items.length}`, { position: at.context.position(expression.at) });
    }
    return ordinal - 1;
  }
  if (expression.kind !== "column" || expression.path.length !== 1) return undefined;
  const name = expression.path[0]?.name;
  const index = items.findIndex((item) => item.name === name);
  return index < 0 ? undefined : index;
}

function distinctSql(select: Select, items: readonly Item[], at: ExpressionScope): string {
  if (!select.distinct) return "";
  if (select.distinctOn.length === 0) return "DISTINCT ";
  const keys = select.distinctOn.map((expression) => {
    const index = outputIndex(expression, items, at);
    return index === undefined ? at.bind(expression, at).sql : (items[index] as Item).bound.sql;
  });
  return `DISTINCT ON (${keys.join(", ")}) `;
}

/** Two derived columns of one name would be one field in the answer; DataFusion refuses them. */
function checkNames(items: readonly Item[], select: Select): void {
  const seen = new Map<string, Item>();
  for (const item of items) {
    const earlier = seen.get(item.name);
    if (earlier !== undefined && item.expression !== undefined && earlier.bound.name === item.bound.name && earlier.expression !== undefined) {
      throw planError(
        `Projections require unique expression names but the expression "${item.bound.name}" at position ${items.indexOf(earlier)} and "${item.bound.name}" at position ${items.indexOf(item)} have the same name. Consider aliasing ("AS") one of them.`,
        { hint: `name one of the ${select.items.length} columns with AS` },
      );
    }
    seen.set(item.name, item);
  }
}
