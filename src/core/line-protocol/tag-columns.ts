/**
 * The tag columns of a parsed table: for each row a code into the values that the request uses. A sender's requests mostly
 * name the same series in the same order, so what the request before came to is kept: then its codes are good again, and
 * where even the rows follow each other alike its columns are.
 */
import type { ColumnValues } from "../columns/table-batch.ts";
import { type ParseBudget, spend } from "./field-column.ts";
import { CODE_BYTES, type NumberedTag, type Series, type TagColumn } from "./series.ts";

export class TagColumns {
  private local: readonly Series[] = [];
  private tags: readonly NumberedTag[] = [];
  private series = new Uint32Array(0);
  private rows = 0;
  private columns: readonly ColumnValues[] = [];
  /** The most that the codes of the series took. */
  private codeBytes = 0;

  /**
   * `local`: the request's series in the order of their first rows; `tags`: what they have; `series`: that of each row.
   * Valid until the next call.
   */
  of(local: readonly Series[], tags: readonly TagColumn[], series: Uint32Array, budget: ParseBudget): readonly ColumnValues[] {
    const known = isSameList(local, this.local);
    if (known && series.length === this.rows && isStart(series, this.series)) return this.columns;
    this.rows = 0;
    if (!known) this.renumber(local, tags, budget);
    this.columns = this.tags.map((tag) => columnOf(tag, series, budget));
    if (this.series.length < series.length) {
      spend(budget, (series.length - this.series.length) * CODE_BYTES);
      this.series = new Uint32Array(series.length);
    }
    this.series.set(series);
    this.rows = series.length;
    return this.columns;
  }

  private renumber(local: readonly Series[], tags: readonly TagColumn[], budget: ParseBudget): void {
    this.local = [];
    const bytes = local.length * tags.length * CODE_BYTES;
    spend(budget, Math.max(0, bytes - this.codeBytes));
    this.codeBytes = Math.max(bytes, this.codeBytes);
    this.tags = tags.map((tag) => tag.number(local));
    this.local = [...local];
  }
}

function columnOf({ tag, codes, sparse, offsets, bytes }: NumberedTag, series: Uint32Array, budget: ParseBudget): ColumnValues {
  const indexes = tag.rowCodes(series.length, budget);
  const valid = sparse ? new Uint8Array(series.length) : undefined;
  if (valid === undefined) lookUp(indexes, codes, series);
  else lookUpSparse(indexes, valid, codes, series);
  return { name: tag.name, type: "tag", valid, indexes, offsets, bytes };
}

// Loops over all rows are functions of their own: V8 compiles one as a whole, whereas a loop in the middle of a longer
// function is left anew, by a deoptimisation, each time that it ends.

function lookUp(indexes: Uint32Array, codes: Int32Array, series: Uint32Array): void {
  for (let row = 0; row < indexes.length; row++) indexes[row] = codes[series[row] as number] as number;
}

function lookUpSparse(indexes: Uint32Array, valid: Uint8Array, codes: Int32Array, series: Uint32Array): void {
  for (let row = 0; row < indexes.length; row++) {
    const code = codes[series[row] as number] as number;
    indexes[row] = Math.max(0, code);
    valid[row] = code < 0 ? 0 : 1;
  }
}

function isSameList(left: readonly Series[], right: readonly Series[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** True when `whole` starts with `part`. */
function isStart(part: Uint32Array, whole: Uint32Array): boolean {
  for (let index = 0; index < part.length; index++) if (part[index] !== whole[index]) return false;
  return true;
}
