/** A query's answer as it comes: typed columns and column-wise batches of plain values. Closing early stops the query. */
import type { Interval } from "./interval.ts";
import type { SqlType } from "./types.ts";

/**
 * One cell: bigint for 64-bit integers, timestamps and durations (ns) and time of day (ns); number for floats, smaller
 * integers and dates (days); struct members are an array in the type's order.
 */
export type ResultValue = null | boolean | number | bigint | string | Uint8Array | Interval | readonly ResultValue[];

export interface ResultColumn {
  readonly name: string;
  /** Arrow type name. */
  readonly type: string;
  readonly sqlType: SqlType;
}

export interface ResultBatch {
  readonly rowCount: number;
  /** One array per column, `rowCount` values each. */
  readonly columns: readonly (readonly ResultValue[])[];
}

export interface QueryStream {
  readonly columns: readonly ResultColumn[];
  /** One consumer. Throws `DatabaseError` (`query.*`). Ending the iteration early closes the query. */
  readonly batches: AsyncIterable<ResultBatch>;
  close(): Promise<void>;
}
