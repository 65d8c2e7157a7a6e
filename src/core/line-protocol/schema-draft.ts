/** The schema of one table as it grows line by line within a request: each line fits whole or not at all. */
import type { CatalogLimits } from "../catalog/limits.ts";
import { columnLimitText, RESERVED_COLUMNS, reservedText, tagLimitText } from "../catalog/plan.ts";
import type { TableDefinition } from "../catalog/definitions.ts";
import { type ColumnType, INFLUX_COLUMN_TYPE } from "../columns/column-type.ts";
import type { ParsedLine } from "./parse-line.ts";

export interface NewColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export class SchemaDraft {
  private readonly existing: TableDefinition | undefined;
  private readonly limits: CatalogLimits;
  private readonly added = new Map<string, ColumnType>();
  private created = false;
  private tagCount: number;
  private columnCount: number;

  constructor(existing: TableDefinition | undefined, limits: CatalogLimits) {
    this.existing = existing;
    this.limits = limits;
    this.tagCount = existing?.seriesKey.length ?? 0;
    this.columnCount = existing === undefined ? 0 : existing.columns.length - 1;
  }

  /** Takes the line's columns in, or says why the line must be refused (spec: line-protocol-and-write §6, §8). */
  add(line: ParsedLine): string | undefined {
    const fresh = new Map<string, ColumnType>();
    const parts: (readonly [string, ColumnType])[] = [...line.tags.map(([name]) => [name, "tag"] as const), ...line.fields.map((field) => [field.name, field.value.kind] as const)];
    for (const [name, type] of parts) {
      const known = this.existing?.columnsByName.get(name)?.type ?? this.added.get(name) ?? fresh.get(name);
      if (known === undefined && RESERVED_COLUMNS.has(name)) return reservedText(name);
      if (known !== undefined && known !== type) {
        return `invalid column type for column '${name}', expected ${INFLUX_COLUMN_TYPE[known]}, got ${INFLUX_COLUMN_TYPE[type]}`;
      }
      if (known === undefined) fresh.set(name, type);
    }
    const tags = [...fresh.values()].filter((type) => type === "tag").length;
    if (fresh.size > 0 && this.columnCount + fresh.size > this.limits.columnsPerTableMax) return columnLimitText(this.limits.columnsPerTableMax);
    if (tags > 0 && this.tagCount + tags > this.limits.tagColumnsPerTableMax) return tagLimitText(this.limits.tagColumnsPerTableMax);
    this.columnCount += fresh.size;
    this.tagCount += tags;
    for (const [name, type] of fresh) this.added.set(name, type);
    if (this.existing === undefined && !this.created) this.added.set("time", "time");
    this.created = true;
    return undefined;
  }

  /** What the accepted lines add to the catalog, in first-seen order. */
  columns(): NewColumn[] {
    return [...this.added].map(([name, type]) => ({ name, type }));
  }
}
