/** One table of a request while it is parsed: rows as columns, plus which line each row came from. */
import { Field, FIELD_KINDS, FieldColumn, spend, type FieldKind, type ParseBudget } from "./field-column.ts";
import type { FieldKey } from "./field-key.ts";
import type { ColumnValues } from "../columns/table-batch.ts";
import { canonicalTags, Series, TagColumn } from "./series.ts";
import { TagColumns } from "./tag-columns.ts";

const ROWS_FIRST = 64;
const BYTES_PER_ROW = 20;

export class ParsedTable {
  readonly name: string;
  rows = 0;
  capacity = 0;
  /** Place in the kernel's memory; 0: it knows none. */
  address = 0;
  /** True while the current request has named this table. */
  touched = false;
  /** Two words a row: low, high. */
  time = new Int32Array(0);
  series = new Uint32Array(0);
  lineNumbers = new Uint32Array(0);
  lineStarts = new Uint32Array(0);
  readonly localSeries: Series[] = [];
  readonly activeTags: TagColumn[] = [];
  readonly activeColumns: FieldColumn[] = [];
  firstKey: FieldKey | undefined;
  /** By a hash of the raw key; several spellings may share a hash. */
  readonly keys = new Map<number, FieldKey[]>();
  private readonly fields = new Map<string, Field>();
  private readonly tags = new Map<string, TagColumn>();
  private readonly seriesByTags = new Map<string, Series>();
  private readonly columnsOfTags = new TagColumns();
  readonly budget: ParseBudget;

  constructor(name: string, budget: ParseBudget) {
    this.name = name;
    this.budget = budget;
  }

  growRows(): void {
    const capacity = Math.max(ROWS_FIRST, this.capacity * 2);
    spend(this.budget, (capacity - this.capacity) * BYTES_PER_ROW);
    const enlarge = <T extends Int32Array | Uint32Array>(target: T, source: T): T => (target.set(source), target);
    this.time = enlarge(new Int32Array(capacity * 2), this.time);
    this.series = enlarge(new Uint32Array(capacity), this.series);
    this.lineNumbers = enlarge(new Uint32Array(capacity), this.lineNumbers);
    this.lineStarts = enlarge(new Uint32Array(capacity), this.lineStarts);
    this.capacity = capacity;
  }

  field(name: string): Field {
    let field = this.fields.get(name);
    if (field === undefined) this.fields.set(name, (field = new Field(name)));
    return field;
  }

  /** The series of these tags, in any order. */
  seriesOf(tags: readonly (readonly [string, string])[]): Series {
    const sorted = [...tags].sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const key = canonicalTags(sorted);
    let series = this.seriesByTags.get(key);
    if (series === undefined) {
      const columns = tags.map(([name]) => this.tagColumn(name));
      series = new Series(columns, tags.map(([, value], index) => (columns[index] as TagColumn).valueId(value)));
      this.seriesByTags.set(key, series);
    }
    return series;
  }

  private tagColumn(name: string): TagColumn {
    let column = this.tags.get(name);
    if (column === undefined) this.tags.set(name, (column = new TagColumn(name)));
    return column;
  }

  /** Gives the series a number in this request; the next row is its first. */
  activate(series: Series): void {
    series.local = this.localSeries.length;
    this.localSeries.push(series);
    for (const tag of series.tags) {
      if (tag.active) continue;
      tag.active = true;
      tag.firstRow = this.rows;
      this.activeTags.push(tag);
    }
  }

  /** The tags of all rows. Valid until the next request; throws `line_protocol.invalid` when they take too much memory. */
  tagColumns(): readonly ColumnValues[] {
    return this.columnsOfTags.of(this.localSeries, this.activeTags, this.series.subarray(0, this.rows), this.budget);
  }

  column(field: Field, kindIndex: number): FieldColumn {
    let column = field.columns[kindIndex];
    if (column === undefined) field.columns[kindIndex] = column = new FieldColumn(field, FIELD_KINDS[kindIndex] as FieldKind, this.budget);
    if (!column.active) {
      column.active = true;
      column.firstRow = this.rows;
      this.activeColumns.push(column);
    }
    if (this.rows >= column.capacity) column.grow(this.rows);
    return column;
  }

  /** Takes back what a refused line has put into the row under way. */
  undoRow(): void {
    const row = this.rows;
    for (let index = this.activeColumns.length - 1; index >= 0; index--) {
      const column = this.activeColumns[index] as FieldColumn;
      column.undo(row);
      column.field.lastRow = -1;
      if (column.count > 0) continue;
      column.active = false;
      this.activeColumns.splice(index, 1);
    }
  }

  reset(): void {
    for (const column of this.activeColumns) column.reset(this.rows + 1);
    for (const tag of this.activeTags) tag.active = false;
    for (const series of this.localSeries) series.local = -1;
    this.activeColumns.length = 0;
    this.activeTags.length = 0;
    this.localSeries.length = 0;
    this.rows = 0;
    this.touched = false;
  }
}
