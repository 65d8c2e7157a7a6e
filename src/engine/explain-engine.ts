/** What EXPLAIN says of a statement that the engine runs: what is read, then the engine's own tree without the text it was given. */
import type { Scan } from "../core/query/bind-context.ts";
import type { ResultBatch } from "../core/query/query-stream.ts";
import { formatTimestamp } from "../core/query/temporal.ts";
import type { EngineRelation } from "../ports/query-engine.ts";

/** A line for each table that is read, with the bounds and tests that keep rows from being read. */
export function logicalPlan(scans: readonly Scan[], relations: readonly EngineRelation[]): string {
  if (scans.length === 0) return "EmptyRelation";
  return scans.map((scan, index) => scanLine(scan, relations[index])).join("\n");
}

function scanLine({ schema, name, timeMinNs, timeMaxNs, tests }: Scan, relation: EngineRelation | undefined): string {
  const filters = [
    ...(timeMinNs === undefined ? [] : [`time >= ${formatTimestamp(timeMinNs)}`]),
    ...(timeMaxNs === undefined ? [] : [`time <= ${formatTimestamp(timeMaxNs)}`]),
    ...tests.map(({ column, values, negated }) => `${column}${negated ? " NOT" : ""} IN (${[...values].map(String).join(", ")})`),
  ];
  return `TableScan: ${schema}.${name}, filters=[${filters.join(", ")}], buffer_batches=${relation?.batches.length ?? 0}, parquet_files=${relation?.persisted?.files.length ?? 0}`;
}

/** Puts the logical plan before the engine's. */
export async function* explained(batches: AsyncIterable<ResultBatch>, logical: string): AsyncGenerator<ResultBatch> {
  yield { rowCount: 1, columns: [["logical_plan"], [logical]] };
  for await (const { rowCount, columns } of batches) {
    const [types = [], plans = []] = columns;
    yield { rowCount, columns: [types, plans.map((plan) => (typeof plan === "string" ? withoutStatement(plan) : plan))] };
  }
}

/** ANALYZE prints the statement, in our names for tables and columns, between two boxes. */
function withoutStatement(plan: string): string {
  const at = plan.indexOf("\nEXPLAIN ANALYZE ");
  const box = at < 0 ? -1 : plan.indexOf("\n┌─", at);
  return box < 0 ? plan : plan.slice(0, at) + plan.slice(box);
}
