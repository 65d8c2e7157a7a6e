/** What the catalog defines: databases, tables, columns and triggers. */
import type { ColumnType } from "../columns/column-type.ts";
import type { OwnGrants } from "../trigger/grants.ts";
import type { OwnLimits } from "../trigger/limits.ts";

export interface ColumnDefinition {
  readonly id: number;
  readonly name: string;
  readonly type: ColumnType;
}

/** Of a table or database that was deleted softly. */
export interface Deletion {
  readonly deletedAtNs: bigint;
  /** When its data goes for good; undefined: never. */
  readonly hardDeleteAtNs?: bigint;
  /** When the last of its data had gone. */
  readonly erasedAtNs?: bigint;
}

export interface TableDefinition {
  readonly id: number;
  readonly databaseId: number;
  readonly name: string;
  /** Creation order; `time` is among them. */
  readonly columns: readonly ColumnDefinition[];
  readonly columnsByName: ReadonlyMap<string, ColumnDefinition>;
  /** Tag names in first-seen order. */
  readonly seriesKey: readonly string[];
  readonly deleted: boolean;
  readonly deletion?: Deletion;
  /** Beats that of the database. */
  readonly retentionNs?: bigint;
}

export interface TriggerDefinition {
  readonly id: number;
  readonly name: string;
  readonly pluginFileName: string;
  /** Canonical text. */
  readonly specification: string;
  readonly arguments: readonly (readonly [string, string])[] | undefined;
  readonly runAsync: boolean;
  readonly errorBehavior: "log" | "retry" | "disable";
  readonly disabled: boolean;
  /** Absent members take the server's values. */
  readonly limits?: OwnLimits;
  readonly grants?: OwnGrants;
  /** Rows not processed at a crash are delivered after it, at least once. */
  readonly durable?: boolean;
}

/** What of a trigger can be changed. */
export type TriggerChange = Partial<Omit<TriggerDefinition, "id" | "name" | "disabled">>;

export interface DatabaseDefinition {
  readonly id: number;
  readonly name: string;
  readonly deleted: boolean;
  readonly deletion?: Deletion;
  readonly retentionNs?: bigint;
  /** By name; live ones only. */
  readonly tables: ReadonlyMap<string, TableDefinition>;
  /** By the name that soft delete gave them. */
  readonly deletedTables: ReadonlyMap<string, TableDefinition>;
  readonly triggers: ReadonlyMap<string, TriggerDefinition>;
}
