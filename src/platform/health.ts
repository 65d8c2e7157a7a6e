/** What `/health` has to say beside OK. */
import type { HealthProblem, HealthSource } from "../http/services.ts";
import type { Storage } from "../engine/storage.ts";
import type { Stores } from "./open-stores.ts";

export function createHealth({ observed, claim, walInStore }: Pick<Stores, "observed" | "claim" | "walInStore">, storage: Pick<Storage, "walTrouble">): HealthSource {
  return {
    problems() {
      const problems: HealthProblem[] = [];
      if (claim?.superseded !== undefined) problems.push({ level: "failing", text: claim.superseded.message });
      const trouble = observed.trouble();
      if (trouble !== undefined) problems.push({ level: walInStore ? "failing" : "degraded", text: trouble });
      const wal = storage.walTrouble();
      if (wal !== undefined) problems.push({ level: wal.refusesWrites ? "failing" : "degraded", text: wal.text });
      return problems;
    },
  };
}
