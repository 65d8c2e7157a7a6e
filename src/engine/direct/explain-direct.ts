/** What EXPLAIN says of a direct plan. */
import type { CacheKind } from "../../core/catalog/cache-definitions.ts";
import type { AggregatePlan } from "../../core/query/direct/aggregate-plan.ts";
import type { DirectPlan, GroupKey } from "../../core/query/direct/plan.ts";
import type { Scan } from "../../core/query/bind-context.ts";
import type { DirectTable } from "./direct-queries.ts";

/** The plan's tree, a node a line. */
export function explainDirect(plan: DirectPlan, reads: DirectTable | CacheKind): string {
  const { scan } = plan;
  const top = plan.kind === "rows" ? `rows=[${plan.columns.join(", ")}]${plan.order === undefined ? "" : `, order=[time ${plan.order}]`}` : `groups=[${plan.keys.map(keyText).join(", ")}], aggregates=[${plan.items.flatMap((item) => ("aggregate" in item ? [aggregateText(item.aggregate)] : [])).join(", ")}]`;
  const limits = `${plan.limit === undefined ? "" : `, limit=${plan.limit}`}${plan.offset === 0 ? "" : `, offset=${plan.offset}`}`;
  return `DirectExec: ${top}${limits}\n  ${sourceText(scan, reads)}`;
}

function sourceText(scan: Scan, reads: DirectTable | CacheKind): string {
  if (typeof reads === "string") return `${reads === "last" ? "LastCacheExec" : "DistinctCacheExec"}: predicates=[${predicates(scan)}]`;
  const { batches, files, windows } = reads;
  return `DirectScan: table=${scan.name}, predicates=[${predicates(scan)}], buffer_batches=${batches.length}, parquet_files=${files.length}, contested_windows=${windows.length}`;
}

const keyText = (key: GroupKey): string => (key.kind === "tag" ? key.column : `time / ${key.widthNs} ns`);

const aggregateText = ({ kind, column, member }: AggregatePlan): string => `${kind}(${column ?? "*"})${member === undefined || member === "both" ? "" : `['${member}']`}`;

function predicates({ tests, timeMinNs, timeMaxNs }: Scan): string {
  const texts = tests.map(({ column, values, negated }) => `${column}${negated ? " NOT" : ""} IN (${[...values].map(String).join(", ")})`);
  if (timeMinNs !== undefined) texts.push(`time >= ${timeMinNs}`);
  if (timeMaxNs !== undefined) texts.push(`time <= ${timeMaxNs}`);
  return texts.join(", ");
}
