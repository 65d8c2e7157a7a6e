/** The conformance table: what a query answers and where that is written. Runs through the real front end, service and engine. */
import { expect } from "vitest";
import type { TestServer } from "./harness.ts";

/** A query and its rows as JSON lines. */
export type RowsCase = readonly [sql: string, rows: readonly string[]];
/** `SELECT <expression> AS x <rest>` and the JSON text of `x` in its one row; `NULL` when it is. */
export type ValueCase = readonly [expression: string, value: string, rest?: string];
/** A query that is refused, and words of the message. */
export type RefusedCase = readonly [sql: string, words: string];

export interface CaseGroup {
  /** Section of the specification, or page of the reference's or DataFusion's documentation, that the expectations come from. */
  readonly source: string;
  readonly cases?: readonly RowsCase[];
  readonly values?: readonly ValueCase[];
  readonly refused?: readonly RefusedCase[];
}

/** Sums are added in another order than the reference's, so the last digits of a float may differ; its form may not. */
const FLOAT = /-?\d+\.\d+(?:e-?\d+)?|-?\d+e\d+/g;
const RELATIVE_DIFFERENCE_MAX = 1e-12;

export function expectRows(actual: readonly string[], expected: readonly string[]): void {
  const shape = (rows: readonly string[]): string[] => rows.map((row) => row.replace(FLOAT, "#.#"));
  expect(close(actual, expected) ? shape(actual) : actual).toEqual(close(actual, expected) ? shape(expected) : expected);
}

function close(actual: readonly string[], expected: readonly string[]): boolean {
  const numbers = (rows: readonly string[]): number[] => rows.flatMap((row) => row.match(FLOAT) ?? []).map(Number);
  const [left, right] = [numbers(actual), numbers(expected)];
  return left.length === right.length && left.every((value, index) => Math.abs(value - (right[index] as number)) <= RELATIVE_DIFFERENCE_MAX * Math.max(Math.abs(value), 1));
}

export async function runRows(server: TestServer, [sql, rows]: RowsCase): Promise<void> {
  expectRows((await server.run(sql)).split("\n").slice(0, -1), rows);
}

export async function runValue(server: TestServer, [expression, value, rest = ""]: ValueCase): Promise<void> {
  expectRows((await server.run(`SELECT ${expression} AS x ${rest}`)).split("\n").slice(0, -1), [value === "NULL" ? "{}" : `{"x":${value}}`]);
}

export async function runRefused(server: TestServer, [sql, words]: RefusedCase): Promise<void> {
  await expect(server.run(sql)).rejects.toMatchObject({ name: "DatabaseError", message: expect.stringContaining(words) });
}
