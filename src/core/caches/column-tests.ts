/** Tests of a query on single columns that can be answered from the values alone: `=`, `IN`, `!=`, `NOT IN`. */
import type { CellValue } from "../columns/cells.ts";

export interface ColumnTest {
  readonly column: string;
  readonly values: ReadonlySet<CellValue>;
  /** The value is none of them. NULL passes no test, as in SQL. */
  readonly negated: boolean;
}

export const passes = (value: CellValue, { values, negated }: ColumnTest): boolean => value !== null && values.has(value) !== negated;
