/** What `/health` has to say beside OK. */
import type { HealthProblem, HealthSource } from "../http/services.ts";
import type { Stores } from "./open-stores.ts";

export function createHealth({ observed, claim, walInStore }: Pick<Stores, "observed" | "claim" | "walInStore">): HealthSource {
  return {
    problems() {
      const problems: HealthProblem[] = [];
      if (claim?.superseded !== undefined) problems.push({ level: "failing", text: claim.superseded.message });
      const trouble = observed.trouble();
      if (trouble !== undefined) problems.push({ level: walInStore ? "failing" : "degraded", text: trouble });
      return problems;
    },
  };
}
