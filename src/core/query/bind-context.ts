/** What binding one statement shares: the known tables, the parameters, the fixed `now()`, and the scans it asked for. */
import type { ColumnTest } from "../caches/column-tests.ts";
import type { CacheKind } from "../catalog/cache-definitions.ts";
import type { ColumnType } from "../columns/column-type.ts";
import { DatabaseError } from "../errors/database-error.ts";
import type { Gapfill } from "./bind-gapfill.ts";
import type { Bound } from "./bound.ts";
import { EMITTED_CHARACTERS_MAX, SQL_RELATIONS_MAX, TEXT_GROWTH_CALLS_MAX } from "./limits.ts";
import type { Scope } from "./scope.ts";
import { lineStartsOf, planError, type TextPosition } from "./sql-error.ts";
import type { Expression, Query, Select, WindowSpecification } from "./syntax.ts";
import type { SqlType } from "./types.ts";

/** `cache`: not named in SQL, reached through `last_cache` and `distinct_cache`. */
export type SchemaName = "iox" | "system" | "information_schema" | "cache";

export interface SourceColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** The text is a JSON list of such values, and is shown as a list. */
  readonly listOf?: "uint64" | "utf8";
  /** An int64 column that counts nanoseconds. */
  readonly shownAs?: "duration";
  /** The catalog's id of a user table's column. */
  readonly id?: number;
}

export interface SourceTable {
  /** In the order of `SELECT *`. */
  readonly columns: readonly SourceColumn[];
  /** Rows of one series and time may occur more than once: the newest non-null value of each column wins. */
  readonly deduplicate: boolean;
  /** A part lies in files: the scan is `relation_<id>`, which deduplicates by itself. */
  readonly persisted?: boolean;
  /** Rows before it are not there (retention). */
  readonly timeMinNs?: bigint | undefined;
}

/** The tables one query may see. */
export interface TableSource {
  table(schema: SchemaName, name: string): SourceTable | undefined;
  /** For hints. */
  names(schema: SchemaName): Iterable<string>;
  /** A declared cache by the name of its table; without a name the only one. Absent: there are none. */
  cache?(kind: CacheKind, table: string, name: string | undefined): CachedTable | "no table" | "no cache";
}

export interface CachedTable {
  /** Of the scan. */
  readonly name: string;
  readonly table: SourceTable;
}

/** A scan the emitted SQL makes: `tidemark_scan(<id>)` or `relation_<id>`, columns `c0…` in this order, then `seq` or nothing. */
export interface Scan {
  readonly id: number;
  readonly schema: SchemaName;
  readonly name: string;
  readonly table: SourceTable;
  /** Rows outside cannot matter: taken from the WHERE clause. */
  timeMinNs: bigint | undefined;
  timeMaxNs: bigint | undefined;
  /** Rows that fail one of them cannot matter either. */
  readonly tests: ColumnTest[];
}

export type ParameterValue = string | number | bigint | boolean | null;

export interface BindOptions {
  readonly text: string;
  readonly tables: TableSource;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly nowNs: bigint;
  /** Unique id for a scan, across queries. */
  readonly nextScanId: () => number;
}

export interface CommonTable {
  readonly name: string;
  readonly sqlName: string;
  readonly columns: readonly OutputColumn[];
}

export interface OutputColumn {
  readonly name: string;
  readonly type: SqlType;
}

export interface BoundQuery {
  readonly sql: string;
  readonly columns: readonly OutputColumn[];
}

export interface BoundSelect {
  readonly at: ExpressionScope;
  readonly whereCovered: boolean;
}

export class BindContext {
  readonly options: BindOptions;
  readonly scans: Scan[] = [];
  /** Of each SELECT: its scope, and whether the bounds and tests of its scans are all that its WHERE says. */
  readonly selects = new Map<Select, BoundSelect>();
  #alias = 0;
  #emitted = 0;
  #growthCalls = 0;
  #lineStarts: readonly number[] | undefined;

  constructor(options: BindOptions) {
    this.options = options;
  }

  /** A relation name of ours; user names never reach the engine. */
  alias(): string {
    return `r${this.#alias++}`;
  }

  scan(schema: SchemaName, name: string, table: SourceTable): Scan {
    if (this.scans.length >= SQL_RELATIONS_MAX) throw planError(`Query reads more than ${SQL_RELATIONS_MAX} tables`);
    const scan: Scan = { id: this.options.nextScanId(), schema, name, table, timeMinNs: table.timeMinNs, timeMaxNs: undefined, tests: [] };
    this.scans.push(scan);
    return scan;
  }

  /** Every node asks for its position, so the lines are found once. */
  position(offset: number): TextPosition {
    this.#lineStarts ??= lineStartsOf(this.options.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] as number) + 1 };
  }

  /** Counts a call that makes longer texts than it is given: each one may fill memory that the engine does not count. */
  growText(): void {
    this.#growthCalls += 1;
    if (this.#growthCalls > TEXT_GROWTH_CALLS_MAX) throw planError(`Query calls more than ${TEXT_GROWTH_CALLS_MAX} functions that make longer texts`);
  }

  /** Counts emitted text: nested expansions could multiply it. */
  count(sql: string): void {
    this.#emitted += sql.length;
    if (sql.length > EMITTED_CHARACTERS_MAX || this.#emitted > EMITTED_CHARACTERS_MAX * 8) {
      throw new DatabaseError("query.invalid", { message: "Error during planning: Query expands to too much text", hint: "split it into smaller queries" });
    }
  }
}

/** Where an expression stands. */
export interface ExpressionScope {
  readonly context: BindContext;
  readonly scope: Scope;
  readonly commonTables: readonly CommonTable[];
  readonly aggregates: boolean;
  readonly windowsAllowed: boolean;
  /** Engine texts of GROUP BY expressions, which are not loose columns, and what stands for them in the output. */
  readonly groups: ReadonlyMap<string, string>;
  /** Set in GROUP BY and the output of a gap-filling query. */
  readonly gapfill?: Gapfill | undefined;
  readonly windows: ReadonlyMap<string, WindowSpecification>;
  /** Output aliases that HAVING, QUALIFY may use. */
  readonly aliases: ReadonlyMap<string, Expression>;
  readonly bindQuery: (query: Query, at: ExpressionScope) => BoundQuery;
  readonly bind: (expression: Expression, at: ExpressionScope) => Bound;
}
