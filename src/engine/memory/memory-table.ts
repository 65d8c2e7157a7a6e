/** `system.memory`: the parts of the memory with their limits, in every database. */
import type { SystemTable, SystemTableSource } from "../query-tables.ts";
import type { MemoryLedger } from "./ledger.ts";

const NAME = "memory";

export function withMemoryTable(source: SystemTableSource, ledger: Pick<MemoryLedger, "rows">): SystemTableSource {
  return {
    names: (database) => [...source.names(database), NAME],
    table: (database, name, confined) => (name === NAME ? memoryTable(ledger) : source.table(database, name, confined)),
    ...(source.prepare === undefined ? {} : { prepare: (database: string) => (source.prepare as NonNullable<SystemTableSource["prepare"]>)(database) }),
  };
}

function memoryTable(ledger: Pick<MemoryLedger, "rows">): SystemTable {
  return {
    columns: [{ name: "part", type: "utf8" }, { name: "limit_bytes", type: "int64" }, { name: "used_bytes", type: "int64" }, { name: "peak_bytes", type: "int64" }],
    rows: ledger.rows().map(({ part, limitBytes, usedBytes, peakBytes }) => [part, BigInt(limitBytes), BigInt(usedBytes), BigInt(peakBytes)]),
  };
}
