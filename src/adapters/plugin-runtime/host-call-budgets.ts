/** What the arguments of each host call may cost, before they are copied. */
import { LiftBudget } from "./canonical-abi.ts";
import type { HostCallName } from "./contract.ts";
import { NAME_BYTES_MAX, NET_INTERESTS_BYTES_MAX, NET_SEND_BYTES_MAX, NET_SETTINGS_BYTES_MAX, RUN_WRITE_BYTES_MAX, SQL_BYTES_MAX, SQL_PARAMETERS_MAX } from "./limits.ts";

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
  "net-resolve": () => new LiftBudget(NAME_BYTES_MAX, 0),
  "net-open": () => new LiftBudget(NAME_BYTES_MAX, 0),
  "net-open-tls": () => new LiftBudget(NET_SETTINGS_BYTES_MAX, 0),
  "net-start-tls": () => new LiftBudget(NET_SETTINGS_BYTES_MAX, 0),
  "net-send": () => new LiftBudget(NET_SEND_BYTES_MAX, 0),
  "net-receive": () => new LiftBudget(0, 0),
  "net-wait": () => new LiftBudget(NET_INTERESTS_BYTES_MAX, 0),
  "net-describe": () => new LiftBudget(0, 0),
  "net-close": () => new LiftBudget(0, 0),
  "net-feed": () => new LiftBudget(NET_SEND_BYTES_MAX, 0),
  "net-drain": () => new LiftBudget(0, 0),
};
