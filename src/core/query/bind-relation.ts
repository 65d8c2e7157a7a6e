/** FROM: known tables become scans, derived tables and CTEs subqueries, joins keep their shape. Engine names are all ours. */
import { cacheScan } from "./bind-cache.ts";
import type { BindContext, CommonTable, ExpressionScope, Scan, SchemaName, SourceTable } from "./bind-context.ts";
import { asBoolean } from "./bind-operators.ts";
import { bindSeries, SERIES_FUNCTIONS } from "./bind-series.ts";
import { bigintSql } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { findIn, qualifiedName, shownName, type Scope, type ScopeColumn, type ScopeRelation } from "./scope.ts";
import { nearest, notImplemented, planError } from "./sql-error.ts";
import type { Identifier, JoinKind, Relation, RelationAlias } from "./syntax.ts";
import { commonType, DURATION, engineName, typeOfColumn, type SqlType } from "./types.ts";

export interface BoundRelation {
  readonly sql: string;
  readonly relations: readonly ScopeRelation[];
  /** Columns of USING and NATURAL joins. */
  readonly merged: readonly ScopeColumn[];
  /** What `*` stands for, in order. */
  readonly star: readonly ScopeColumn[];
}

const SCHEMAS: readonly SchemaName[] = ["iox", "system", "information_schema"];

/** A table named by one to three parts. Throws DataFusion's words when there is none. */
export function resolveTable(path: readonly Identifier[], context: BindContext): { schema: SchemaName; name: string; table: SourceTable } {
  const parts = path.map((part) => part.name);
  const position = context.position((path[0] as Identifier).at);
  const name = parts[parts.length - 1] as string;
  const schema = parts[parts.length - 2] ?? "iox";
  const catalog = parts[parts.length - 3] ?? "public";
  const known = parts.length <= 3 && catalog === "public" ? SCHEMAS.find((candidate) => candidate === schema) : undefined;
  const table = known === undefined ? undefined : context.options.tables.table(known, name);
  if (known === undefined || table === undefined) {
    throw planError(`table '${[...parts.slice(0, -3), catalog, schema, name].join(".")}' not found`, { position, hint: tableHint(name, known, context) });
  }
  return { schema: known, name, table };
}

function tableHint(name: string, schema: SchemaName | undefined, context: BindContext): string {
  const names = schema === undefined ? [] : [...context.options.tables.names(schema)];
  const sameLetters = names.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (sameLetters !== undefined) return `names are case sensitive: write "${sameLetters}" in double quotes`;
  const near = nearest(name, names);
  return near === undefined ? "SHOW TABLES lists the tables" : `did you mean "${near}"`;
}

export function bindRelation(relation: Relation, at: ExpressionScope): BoundRelation {
  switch (relation.kind) {
    case "table":
      return bindTable(relation, at);
    case "table-function":
      return SERIES_FUNCTIONS.has(relation.name) ? bindSeriesRows(relation, at) : bindCache(relation, at);
    case "derived":
      return bindDerived(relation, at);
    case "join":
      return bindJoin(relation, at);
  }
}

function bindTable(relation: Extract<Relation, { kind: "table" }>, at: ExpressionScope): BoundRelation {
  const [first] = relation.path as [Identifier];
  const common = relation.path.length === 1 ? at.commonTables.find((table) => table.name === first.name) : undefined;
  if (common !== undefined) return bindCommonTable(common, relation, at);
  const { schema, name, table } = resolveTable(relation.path, at.context);
  const scan = at.context.scan(schema, name, table);
  const alias = at.context.alias();
  const written = relation.path.map((part) => part.name).join(".");
  const qualifier = relation.alias?.name.name ?? written;
  const columns = scanColumns(scan, alias, qualifier);
  const names = relation.alias === undefined ? [...new Set([written, `public.${schema}.${name}`, `${schema}.${name}`, name])] : [qualifier];
  return single(`${scanSql(scan.id, table)} AS ${alias}`, { names, columns: renamed(columns, relation.alias, at) });
}

function scanColumns({ id, table }: Scan, alias: string, qualifier: string): ScopeColumn[] {
  return table.columns.map((column, index) => ({
    name: column.name, type: shownType(column), sql: `${alias}.c${index}`, qualifier, relationId: id,
  }));
}

function shownType({ type, listOf, shownAs }: SourceTable["columns"][number]): SqlType {
  if (listOf !== undefined) return { kind: "list", element: { kind: listOf } };
  return shownAs === undefined ? typeOfColumn(type) : DURATION;
}

function bindCache(relation: Extract<Relation, { kind: "table-function" }>, at: ExpressionScope): BoundRelation {
  const scan = cacheScan(relation, at);
  const alias = at.context.alias();
  const qualifier = relation.alias?.name.name ?? relation.name;
  return single(`${scanSql(scan.id, scan.table)} AS ${alias}`, { names: [qualifier], columns: renamed(scanColumns(scan, alias, qualifier), relation.alias, at) });
}

function bindSeriesRows(relation: Extract<Relation, { kind: "table-function" }>, at: ExpressionScope): BoundRelation {
  const { sql, column, type } = bindSeries(relation, at);
  const alias = at.context.alias();
  const qualifier = relation.alias?.name.name ?? relation.name;
  return single(`(${sql}) AS ${alias}`, { names: [qualifier], columns: renamed([{ name: column, type, sql: `${alias}.c0`, qualifier }], relation.alias, at) });
}

/** The scan with what every reader must not see cut away: expired rows and older values of the same point. */
function scanSql(id: number, table: SourceTable): string {
  const call = table.persisted === true ? `relation_${id}` : `tidemark_scan(${bigintSql(BigInt(id))})`;
  const time = table.columns.findIndex((column) => column.type === "time");
  const where = table.timeMinNs === undefined || time < 0 ? "" : ` WHERE c${time} >= ${bigintSql(table.timeMinNs)}`;
  const shown = (index: number): string => {
    const { type, listOf } = table.columns[index] as SourceTable["columns"][number];
    if (listOf !== undefined) return `from_json(c${index}, '["${listOf === "utf8" ? "VARCHAR" : "UBIGINT"}"]')`;
    return type === "tag" ? `CAST(c${index} AS VARCHAR)` : `c${index}`;
  };
  if (!table.deduplicate || table.persisted === true) {
    return `(SELECT ${table.columns.map((_, index) => `${shown(index)} AS c${index}`).join(", ")} FROM ${call}${where})`;
  }
  // Newest non-null value of each field, by WAL order (spec: line-protocol-and-write §7): arg_max skips NULL values.
  const keys = table.columns.flatMap((column, index) => (column.type === "tag" || column.type === "time" ? [`c${index}`] : []));
  const kept = table.columns.map((column, index) => (column.type === "tag" || column.type === "time" ? `c${index}` : `arg_max(c${index}, seq) AS c${index}`));
  const newest = `(SELECT ${kept.join(", ")} FROM ${call}${where} GROUP BY ${keys.join(", ")})`;
  return `(SELECT ${table.columns.map((_, index) => `${shown(index)} AS c${index}`).join(", ")} FROM ${newest})`;
}

function single(sql: string, relation: ScopeRelation): BoundRelation {
  return { sql, relations: [relation], merged: [], star: relation.columns };
}

function renamed(columns: readonly ScopeColumn[], alias: RelationAlias | undefined, at: ExpressionScope): ScopeColumn[] {
  const names = alias?.columns ?? [];
  if (names.length > columns.length) {
    throw planError(`Source table contains ${columns.length} columns but ${names.length} names given as column alias`, { position: at.context.position((names[0] as Identifier).at) });
  }
  return columns.map((column, index) => {
    const name = names[index]?.name ?? column.name;
    // Under another name it is not known any more which column of the scan it is.
    return { ...column, name, relationId: name === column.name ? column.relationId : undefined };
  });
}

function bindCommonTable(common: CommonTable, relation: Extract<Relation, { kind: "table" }>, at: ExpressionScope): BoundRelation {
  const alias = at.context.alias();
  const qualifier = relation.alias?.name.name ?? common.name;
  const columns = common.columns.map((column, index) => ({ name: column.name, type: column.type, sql: `${alias}.c${index}`, qualifier }));
  return single(`${common.sqlName} AS ${alias}`, { names: [qualifier], columns: renamed(columns, relation.alias, at) });
}

function bindDerived(relation: Extract<Relation, { kind: "derived" }>, at: ExpressionScope): BoundRelation {
  if (relation.lateral) throw notImplemented("LATERAL subqueries", { position: at.context.position(relation.at), hint: "write a correlated subquery in the SELECT list" });
  // A derived table does not see its siblings, only the queries around this one.
  const query = at.bindQuery(relation.query, { ...at, scope: at.scope.parent ?? EMPTY_SCOPE });
  const alias = at.context.alias();
  const qualifier = relation.alias?.name.name;
  const columns = query.columns.map((column, index) => ({ name: column.name, type: column.type, sql: `${alias}.c${index}`, qualifier }));
  return single(`(${query.sql}) AS ${alias}`, { names: qualifier === undefined ? [] : [qualifier], columns: renamed(columns, relation.alias, at) });
}

export const EMPTY_SCOPE: Scope = { parent: undefined, relations: [], merged: [] };

const JOIN_SQL: Readonly<Record<JoinKind, string>> = {
  inner: "JOIN", left: "LEFT JOIN", right: "RIGHT JOIN", full: "FULL JOIN", cross: "CROSS JOIN",
  "left-semi": "SEMI JOIN", "left-anti": "ANTI JOIN", "right-semi": "SEMI JOIN", "right-anti": "ANTI JOIN",
};

function bindJoin(relation: Extract<Relation, { kind: "join" }>, at: ExpressionScope): BoundRelation {
  const left = bindRelation(relation.left, at);
  const right = bindRelation(relation.right, at);
  const flipped = relation.join === "right-semi" || relation.join === "right-anti";
  const keepsOne = relation.join.includes("-");
  const kept = flipped ? right : left;
  const merged: ScopeColumn[] = [];
  const condition = joinCondition(relation, left, right, merged, at);
  const [first, second] = flipped ? [right, left] : [left, right];
  const sql = `(${first.sql} ${JOIN_SQL[relation.join]} ${second.sql}${condition === undefined ? "" : ` ON ${condition}`})`;
  if (keepsOne) return { ...kept, sql };
  const usedNames = new Set(merged.map((column) => column.name));
  const rest = (side: BoundRelation): ScopeColumn[] => side.star.filter((column) => !usedNames.has(column.name));
  return {
    sql,
    relations: [...left.relations, ...right.relations],
    merged: [...merged, ...left.merged.filter((c) => !usedNames.has(c.name)), ...right.merged.filter((c) => !usedNames.has(c.name))],
    star: merged.length === 0 ? [...left.star, ...right.star] : starOfUsing(left, right, merged, rest),
  };
}

/** `*` over USING: the left columns in their order with the merged ones in place, then what the right adds. */
function starOfUsing(left: BoundRelation, right: BoundRelation, merged: readonly ScopeColumn[], rest: (side: BoundRelation) => ScopeColumn[]): ScopeColumn[] {
  const byName = new Map(merged.map((column) => [column.name, column]));
  return [...left.star.map((column) => byName.get(column.name) ?? column), ...rest(right)];
}

function joinCondition(
  relation: Extract<Relation, { kind: "join" }>, left: BoundRelation, right: BoundRelation, merged: ScopeColumn[], at: ExpressionScope,
): string | undefined {
  const { condition } = relation;
  const position = at.context.position(relation.at);
  if (condition.kind === "none") return undefined;
  if (condition.kind === "on") {
    const scope: Scope = { parent: at.scope.parent, relations: [...left.relations, ...right.relations], merged: [...left.merged, ...right.merged] };
    return asBoolean(at.bind(condition.expression, { ...at, scope }), position).sql;
  }
  const rightNames = new Set(right.star.map((column) => column.name));
  const names = condition.kind === "using" ? condition.columns : left.star.filter((c) => rightNames.has(c.name)).map((c) => ({ name: c.name, at: relation.at }));
  const tests = names.map((name) => {
    const find = (side: BoundRelation): ScopeColumn => {
      const found = findIn({ parent: undefined, relations: side.relations, merged: side.merged }, [name], position);
      if (found === undefined) throw planError(`Column ${shownName(name.name)} of USING is not on both sides of the join`, { position: at.context.position(name.at) });
      return found;
    };
    const [a, b] = [find(left), find(right)];
    const type = commonType(a.type, b.type);
    if (type === undefined) throw planError(`Columns ${qualifiedName(a)} and ${qualifiedName(b)} have no common type`, { position });
    merged.push(mergedColumn(a, b, type, relation.join));
    return `${castColumn(a, type)} = ${castColumn(b, type)}`;
  });
  // NATURAL without a common column is a cross join.
  return tests.length === 0 ? "TRUE" : tests.join(" AND ");
}

function castColumn(column: ScopeColumn, type: SqlType): string {
  return castTo({ sql: column.sql, type: column.type, name: "", aggregate: false, window: false }, type).sql;
}

function mergedColumn(left: ScopeColumn, right: ScopeColumn, type: SqlType, join: JoinKind): ScopeColumn {
  if (join === "full") return { ...left, type, sql: `coalesce(CAST(${left.sql} AS ${engineName(type)}), CAST(${right.sql} AS ${engineName(type)}))` };
  return join === "right" ? right : left;
}

