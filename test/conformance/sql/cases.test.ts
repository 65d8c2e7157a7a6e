/** Runs the conformance table (`cases/`) over the sample data of `harness.ts`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runRefused, runRows, runValue, type CaseGroup } from "./case-table.ts";
import { FUNCTION_CASES } from "./cases/functions.cases.ts";
import { GAPFILL_CASES } from "./cases/gapfill.cases.ts";
import { REFERENCE_CASES } from "./cases/reference.cases.ts";
import { SELECT_CASES } from "./cases/select.cases.ts";
import { TIME_CASES } from "./cases/time.cases.ts";
import { CASES, HOME, HOME_ACTIONS, LOWER_CASES, openServer, TYPES, type TestServer } from "./harness.ts";

const TABLE: readonly CaseGroup[] = [...SELECT_CASES, ...TIME_CASES, ...GAPFILL_CASES, ...REFERENCE_CASES, ...FUNCTION_CASES];

const TITLE_MAX = 300;

let server: TestServer;
beforeAll(async () => {
  server = await openServer({ tables: [HOME, HOME_ACTIONS, TYPES, CASES, LOWER_CASES] });
});
afterAll(() => server.close());

describe.each(TABLE)("$source", ({ cases = [], values = [], refused = [] }) => {
  for (const each of cases) test(each[0].slice(0, TITLE_MAX), () => runRows(server, each));
  for (const each of values) test(`${each[0]} ${each[2] ?? ""}`.slice(0, TITLE_MAX), () => runValue(server, each));
  for (const each of refused) test(`refused: ${each[0]}`.slice(0, TITLE_MAX), () => runRefused(server, each));
});

test("the table is as large as promised, and names no case twice", () => {
  const names = TABLE.flatMap(({ cases = [], values = [], refused = [] }) => [...cases.map(([sql]) => sql), ...values.map(([expression, , rest = ""]) => `${expression} ${rest}`), ...refused.map(([sql]) => sql)]);
  expect(names.length).toBeGreaterThanOrEqual(300);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
