/** Names that are visible in one SELECT, its outer queries behind it. */
import { nearest, schemaError, type TextPosition } from "./sql-error.ts";
import type { Identifier } from "./syntax.ts";
import type { SqlType } from "./types.ts";

export interface ScopeColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly sql: string;
  /** As shown in derived column names; undefined for columns of unnamed relations. */
  readonly qualifier: string | undefined;
  readonly relationId?: number | undefined;
}

export interface ScopeRelation {
  /** Spellings a qualifier may have, longest first: `public.iox.home`, `iox.home`, `home`; empty: cannot be qualified. */
  readonly names: readonly string[];
  readonly columns: readonly ScopeColumn[];
}

export interface Scope {
  readonly parent: Scope | undefined;
  readonly relations: readonly ScopeRelation[];
  /** USING and NATURAL columns: one meaning although two relations have them. */
  readonly merged: readonly ScopeColumn[];
}

/** A name as DataFusion prints it: quoted unless it is all lower case. */
export function shownName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** `home.temp`, or `temp` for a column without a relation name. */
export function qualifiedName(column: ScopeColumn): string {
  return column.qualifier === undefined ? column.name : `${column.qualifier}.${column.name}`;
}

export interface Resolved {
  readonly column: ScopeColumn;
  /** True when it belongs to an outer query. */
  readonly outer: boolean;
}

/** Finds a column, innermost scope first. Throws `query.invalid` when there is none or more than one. */
export function resolveColumn(scope: Scope, path: readonly Identifier[], position: TextPosition): Resolved {
  for (let current: Scope | undefined = scope, outer = false; current !== undefined; current = current.parent, outer = true) {
    const found = findIn(current, path, position);
    if (found !== undefined) return { column: found, outer };
  }
  throw unknownColumn(scope, path, position);
}

/** The same in one scope only; undefined when absent. Throws when ambiguous. */
export function findIn(scope: Scope, path: readonly Identifier[], position: TextPosition): ScopeColumn | undefined {
  const name = (path[path.length - 1] as Identifier).name;
  const qualifier = path.slice(0, -1).map((part) => part.name).join(".");
  if (qualifier === "") {
    const merged = scope.merged.find((column) => column.name === name);
    if (merged !== undefined) return merged;
  }
  const candidates = scope.relations
    .filter((relation) => qualifier === "" || relation.names.includes(qualifier))
    .flatMap((relation) => relation.columns.filter((column) => column.name === name));
  if (candidates.length > 1) {
    const shown = path.map((part) => shownName(part.name)).join(".");
    throw schemaError(`Ambiguous reference to ${qualifier === "" ? "unqualified" : "qualified"} field ${shown}`, {
      position,
      hint: "put the table's name or alias before the column",
    });
  }
  return candidates[0];
}

/** Fields named by the error; a wide table would make it unreadable. */
const FIELDS_SHOWN_MAX = 50;

function unknownColumn(scope: Scope, path: readonly Identifier[], position: TextPosition): Error {
  const columns = scope.relations.flatMap((relation) => relation.columns);
  const name = (path[path.length - 1] as Identifier).name;
  const shown = path.map((part) => shownName(part.name)).join(".");
  const fields = columns.slice(0, FIELDS_SHOWN_MAX).map((column) => (column.qualifier === undefined ? shownName(column.name) : `${column.qualifier}.${shownName(column.name)}`));
  const valid = fields.length === 0 ? "" : ` Valid fields are ${fields.join(", ")}${columns.length > FIELDS_SHOWN_MAX ? ", …" : ""}.`;
  const sameLetters = columns.find((column) => column.name !== name && column.name.toLowerCase() === name.toLowerCase());
  const near = sameLetters?.name ?? nearest(name, columns.map((column) => column.name));
  const hint =
    sameLetters !== undefined
      ? `names are case sensitive: write "${sameLetters.name}" in double quotes`
      : near === undefined ? undefined : `did you mean "${near}"`;
  return schemaError(`No field named ${shown}.${valid}`, { position, hint });
}
