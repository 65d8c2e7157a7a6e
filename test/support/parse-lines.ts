/** Parses and plans line protocol against a catalog, for tests: rows by table, errors, and the state afterwards. */
import { DEFAULT_CATALOG_LIMITS, type CatalogLimits } from "../../src/core/catalog/limits.ts";
import { applyRecord } from "../../src/core/catalog/ops.ts";
import { EMPTY_CATALOG, type CatalogState } from "../../src/core/catalog/state.ts";
import { decodeTableBatch, encodeTableBatch } from "../../src/core/columns/table-batch.ts";
import { LineProtocolParser, type ParseOptions } from "../../src/core/line-protocol/parser.ts";
import type { LineError } from "../../src/core/line-protocol/line-error.ts";
import { planWrite } from "../../src/core/line-protocol/plan-write.ts";
import { tableBatches } from "../../src/core/line-protocol/table-batches.ts";
import { rowsOf, type Row } from "../../src/testing/table-rows.ts";

export interface Written {
  readonly rows: Readonly<Record<string, readonly Row[]>>;
  readonly errors: readonly LineError[];
  readonly state: CatalogState;
}

export interface WriteSetting extends Partial<ParseOptions> {
  readonly state?: CatalogState;
  readonly limits?: Partial<CatalogLimits>;
  readonly parser?: LineProtocolParser;
}

export const NOW = 1_767_225_600_123_456_789n;

export function writeLines(text: string | Uint8Array, setting: WriteSetting = {}): Written {
  const parser = setting.parser ?? new LineProtocolParser();
  const limits = { ...DEFAULT_CATALOG_LIMITS, ...setting.limits };
  parser.begin(typeof text === "string" ? new TextEncoder().encode(text) : text, {
    precision: setting.precision ?? "nanosecond",
    nowNs: setting.nowNs ?? NOW,
    acceptPartial: setting.acceptPartial ?? true,
  });
  while (!parser.step());
  const parsed = parser.result();
  let state = setting.state ?? EMPTY_CATALOG;
  let plan = planWrite(parsed, state, limits, "db");
  const errors = plan.errors;
  if (plan.ops.length > 0) {
    state = applyRecord(state, state.sequence + 1, plan.ops);
    plan = planWrite(parsed, state, limits, "db");
    if (plan.ops.length > 0) throw new Error("a plan fits after its own changes");
  }
  const rows: Record<string, Row[]> = {};
  for (const input of tableBatches(plan)) {
    const view = decodeTableBatch(encodeTableBatch(input));
    rows[state.tablesById.get(view.tableId)?.name ?? "?"] = rowsOf(view);
  }
  parser.reset();
  return { rows, errors, state };
}

/** The one row of a text with one good line. */
export function onlyRow(text: string, setting: WriteSetting = {}): Row {
  const { rows, errors } = writeLines(text, setting);
  const all = Object.values(rows).flat();
  if (errors.length > 0 || all.length !== 1) throw new Error(`not one good line: ${JSON.stringify(errors)}`);
  return all[0] as Row;
}
