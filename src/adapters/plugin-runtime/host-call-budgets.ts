/** What the arguments of each host call may cost, before they are copied. */
import { LiftBudget } from "./canonical-abi.ts";
import type { HostCallName } from "./contract.ts";
import { NAME_BYTES_MAX, RUN_WRITE_BYTES_MAX, SQL_BYTES_MAX, SQL_PARAMETERS_MAX } from "./limits.ts";

export const HOST_CALL_BUDGETS: Readonly<Record<HostCallName, () => LiftBudget>> = {
  log: () => new LiftBudget(),
  query: () => new LiftBudget(2 * SQL_BYTES_MAX + NAME_BYTES_MAX, SQL_PARAMETERS_MAX),
  "write-sync": () => new LiftBudget(RUN_WRITE_BYTES_MAX + NAME_BYTES_MAX, 0),
  "global-cache-put": () => new LiftBudget(RUN_WRITE_BYTES_MAX + NAME_BYTES_MAX, 0),
  "global-cache-get": () => new LiftBudget(NAME_BYTES_MAX, 0),
  "global-cache-delete": () => new LiftBudget(NAME_BYTES_MAX, 0),
  "check-grant": () => new LiftBudget(NAME_BYTES_MAX, 0),
  exceeded: () => new LiftBudget(0, 0),
  "system-metrics": () => new LiftBudget(NAME_BYTES_MAX, 0),
};
