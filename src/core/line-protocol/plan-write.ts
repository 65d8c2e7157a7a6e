/**
 * Second phase of a write: what was parsed is checked against the catalog. The result names the schema changes that must
 * be durable first and the rows that may be stored. Tables that fit as a whole are judged by their columns; only a table
 * with a conflict or a limit in sight is judged line by line.
 */
import { checkedDatabase } from "../catalog/writable-database.ts";
import type { CatalogLimits } from "../catalog/limits.ts";
import type { TableDefinition } from "../catalog/definitions.ts";
import type { CatalogOp } from "../catalog/ops.ts";
import { planNewDatabase, RESERVED_COLUMNS, tableLimitText } from "../catalog/plan.ts";
import { type CatalogState, liveTableCount } from "../catalog/state.ts";
import { LINE_ERRORS_MAX } from "./limits.ts";
import type { LineError } from "./line-error.ts";
import type { ParsedTable } from "./parsed-table.ts";
import type { ParsedWrite } from "./parser.ts";
import { acceptedLine, judgeLines } from "./judge-lines.ts";
import { type NewColumn, SchemaDraft } from "./schema-draft.ts";

export interface PlannedTable {
  readonly parsed: ParsedTable;
  /** Where the rows belong, once `ops` of the plan are durable. */
  readonly tableId: number;
  /** One byte a row, 1: stored; undefined: all rows are. */
  readonly kept: Uint8Array | undefined;
  readonly keptRows: number;
}

export interface WritePlan {
  readonly databaseId: number;
  /** Schema changes to make durable before the rows; none: the catalog fits already. */
  readonly ops: readonly CatalogOp[];
  readonly tables: readonly PlannedTable[];
  /** Refused lines, by parse and by schema, ascending. */
  readonly errors: readonly LineError[];
  /** Refused lines past the limit of `errors`. */
  readonly errorsOmitted: number;
}

/**
 * Plans on `state`. Throws `database.limit`, `database.deleted`, `database.internal`; refused lines are in the result.
 * Plan again after `ops` are durable: another write may have come first.
 */
export function planWrite(write: ParsedWrite, state: CatalogState, limits: CatalogLimits, databaseName: string): WritePlan {
  const slices = planInSlices(write, state, limits, databaseName);
  for (;;) {
    const slice = slices.next();
    if (slice.done === true) return slice.value;
  }
}

/** The same, a few milliseconds at a time: it yields only where many lines must be judged one by one. */
export function* planInSlices(write: ParsedWrite, state: CatalogState, limits: CatalogLimits, databaseName: string): Generator<void, WritePlan> {
  const database = checkedDatabase(state, databaseName);
  const creation = database === undefined ? planNewDatabase(state, limits, databaseName) : undefined;
  const databaseId = database?.id ?? (creation as CatalogOp & { kind: "create-database" }).id;
  const ops: CatalogOp[] = creation === undefined ? [] : [creation];
  const errors: LineError[] = [...write.errors];
  const tables: PlannedTable[] = [];
  let errorsOmitted = write.errorsOmitted;
  let tableCount = liveTableCount(state);
  let lastTableId = state.lastTableId;
  for (const parsed of write.tables) {
    const existing = database?.tables.get(parsed.name);
    if (existing === undefined && tableCount >= limits.tablesMax) {
      const message = tableLimitText(tableCount, limits.tablesMax);
      errorsOmitted += take(errors, yield* judgeLines(write, parsed, LINE_ERRORS_MAX - errors.length, () => message), parsed.rows);
      continue;
    }
    const judged = yield* judgeTable(write, parsed, existing, limits, LINE_ERRORS_MAX - errors.length);
    errorsOmitted += take(errors, judged, parsed.rows);
    if (judged.keptRows === 0) continue;
    const tableId = existing?.id ?? ++lastTableId;
    if (existing === undefined) {
      tableCount++;
      ops.push({ kind: "create-table", databaseId, id: tableId, name: parsed.name, columns: withIds(judged.newColumns, 0) });
    } else if (judged.newColumns.length > 0) {
      ops.push({ kind: "add-columns", tableId, columns: withIds(judged.newColumns, existing.columns.length) });
    }
    tables.push({ parsed, tableId, kept: judged.kept, keptRows: judged.keptRows });
  }
  errors.sort((a, b) => a.lineNumber - b.lineNumber);
  return { databaseId, ops: tables.length === 0 ? [] : ops, tables, errors, errorsOmitted };
}

const withIds = (columns: readonly NewColumn[], firstId: number): { id: number; name: string; type: NewColumn["type"] }[] =>
  columns.map((column, index) => ({ id: firstId + index, ...column }));

/** Takes a table's errors over; the number of those that are not listed. */
function take(errors: LineError[], verdict: { readonly errors: readonly LineError[]; readonly keptRows: number }, rows: number): number {
  for (const error of verdict.errors) errors.push(error);
  return rows - verdict.keptRows - verdict.errors.length;
}

interface JudgedTable {
  readonly kept: Uint8Array | undefined;
  readonly keptRows: number;
  readonly errors: readonly LineError[];
  readonly newColumns: readonly NewColumn[];
}

function* judgeTable(write: ParsedWrite, parsed: ParsedTable, existing: TableDefinition | undefined, limits: CatalogLimits, errorsMax: number): Generator<void, JudgedTable> {
  const newColumns = fittingColumns(write, parsed, existing, limits);
  if (newColumns !== undefined) return { kept: undefined, keptRows: parsed.rows, errors: [], newColumns };
  const draft = new SchemaDraft(existing, limits);
  const judged = yield* judgeLines(write, parsed, errorsMax, (line) => draft.add(line));
  return { ...judged, newColumns: draft.columns() };
}

/** Within one row tags come before fields. */
const TAGS_FIRST = -1e9;

/**
 * Gives new tags that came with the same row their places in its line: all spellings of a tag set are one series, so the
 * series does not tell.
 */
function placeTags({ body }: ParsedWrite, { lineStarts }: ParsedTable, fresh: readonly FreshColumn[]): void {
  const byRow = new Map<number, FreshColumn[]>();
  for (const column of fresh) {
    if (column.type !== "tag") continue;
    const others = byRow.get(column.row);
    if (others === undefined) byRow.set(column.row, [column]);
    else others.push(column);
  }
  for (const [row, tags] of byRow) {
    if (tags.length < 2) continue;
    const places = new Map(acceptedLine(body, lineStarts[row] as number).tags.map(([name], place) => [name, place]));
    for (const tag of tags) tag.place = TAGS_FIRST + (places.get(tag.name) ?? 0);
  }
}

interface FreshColumn extends NewColumn {
  readonly row: number;
  place: number;
}

/** The table's new columns in first-seen order, or undefined when some line must be refused. */
function fittingColumns(write: ParsedWrite, parsed: ParsedTable, existing: TableDefinition | undefined, limits: CatalogLimits): NewColumn[] | undefined {
  const seen = new Set<string>();
  const fresh: FreshColumn[] = [];
  const fits = (name: string, type: NewColumn["type"], row: number, place: number): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    const column = existing?.columnsByName.get(name);
    if (column !== undefined) return column.type === type;
    fresh.push({ name, type, row, place });
    return !RESERVED_COLUMNS.has(name);
  };
  for (const tag of parsed.activeTags) if (!fits(tag.name, "tag", tag.firstRow, TAGS_FIRST)) return undefined;
  for (const [place, column] of parsed.activeColumns.entries()) {
    if (column.count > 0 && !fits(column.field.name, column.kind, column.firstRow, place)) return undefined;
  }
  const columnCount = (existing === undefined ? 0 : existing.columns.length - 1) + fresh.length;
  const tagCount = (existing?.seriesKey.length ?? 0) + fresh.filter((column) => column.type === "tag").length;
  if (columnCount > limits.columnsPerTableMax || tagCount > limits.tagColumnsPerTableMax) return undefined;
  placeTags(write, parsed, fresh);
  fresh.sort((a, b) => a.row - b.row || a.place - b.place);
  const columns: NewColumn[] = fresh.map(({ name, type }) => ({ name, type }));
  if (existing === undefined) {
    // As with a table made by its first line: that line's columns, then time, then what later lines add.
    const first = fresh.findIndex((column) => column.row > 0);
    columns.splice(first < 0 ? columns.length : first, 0, { name: "time", type: "time" });
  }
  return columns;
}
