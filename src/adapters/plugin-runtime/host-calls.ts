/**
 * Answers a guest's host calls on the main thread: lifts the parameters straight from the guest's memory, which stands
 * still meanwhile, asks the `PluginHost`, and turns every failure into a refusal with a kind of the contract.
 */
import { isDatabaseError } from "../../core/errors/database-error.ts";
import { HostCallError, type NamedText, type PluginHost } from "../../ports/plugin-runtime.ts";
import { type Answer, bulkAnswer, DONE, refusal } from "./answers.ts";
import type { LiftContext } from "./canonical-abi.ts";
import { HOST_CALLS, type HostCallName, flatReader } from "./contract.ts";
import { REPLY } from "./control-block.ts";
import { type GuestMemory, encodeText } from "./guest-memory.ts";
import { HOST_CALL_BUDGETS } from "./host-call-budgets.ts";
import { NAME_BYTES_MAX, SQL_BYTES_MAX } from "./limits.ts";
import { answerNetworkCall, type NetworkCallName } from "./network-calls.ts";

/** Calls that a run which is being stopped may not begin any more; logging its end stays possible. */
const REFUSED_WHILE_STOPPING: ReadonlySet<HostCallName> = new Set(["query", "write-sync"]);

export const isRefusedWhileStopping = (name: HostCallName): boolean => REFUSED_WHILE_STOPPING.has(name) || (isNetworkCall(name) && name !== "net-close");

const isNetworkCall = (name: HostCallName): name is NetworkCallName => name.startsWith("net-");

const LIMIT_NAMES = { "write-bytes": "write_bytes", "response-bytes": "response_bytes", "cache-bytes": "cache_bytes" } as const;

/** A promise when the host has to wait; neither throws nor rejects. `onFault` hears of what is nobody's refusal. */
export function answerHostCall(
  call: { name: HostCallName; slots: readonly number[]; memory: GuestMemory; host: PluginHost },
  onFault: (error: unknown) => void,
): Answer | Promise<Answer> {
  const refuse = (error: unknown): Answer => {
    if (error instanceof HostCallError) return refusal(error.kind, error.message);
    if (isDatabaseError(error) && error.code === "plugin.message_invalid") return refusal("internal", error.message);
    onFault(error);
    return refusal("internal", "internal error of the server");
  };
  try {
    const answer = dispatch(call.name, { memory: call.memory, budget: HOST_CALL_BUDGETS[call.name]() }, call);
    return answer instanceof Promise ? answer.catch(refuse) : answer;
  } catch (error) {
    return refuse(error);
  }
}

function dispatch(
  name: HostCallName, from: LiftContext, { slots, host }: { slots: readonly number[]; host: PluginHost },
): Answer | Promise<Answer> {
  if (isNetworkCall(name)) return answerNetworkCall(name, from, { slots, network: host.network });
  const flat = flatReader(slots);
  switch (name) {
    case "log": {
      const { level, text } = HOST_CALLS.log.parameters.lift(from, flat);
      host.log(level, text);
      return DONE;
    }
    case "query": {
      const call = HOST_CALLS.query.parameters.lift(from, flat);
      if (call.sql.length > SQL_BYTES_MAX) throw new HostCallError("limit", `query text of more than ${SQL_BYTES_MAX} bytes`);
      const parameters = call.arguments.map(({ name: key, value }): NamedText => [key, value]);
      return host.query(call.sql, parameters, call.database).then(bulkAnswer);
    }
    case "write-sync": {
      const call = HOST_CALLS["write-sync"].parameters.lift(from, flat);
      return host.writeSync(call.database, call.lines, call.noSync).then(() => DONE);
    }
    case "global-cache-put": {
      const { key, value, ttl } = HOST_CALLS["global-cache-put"].parameters.lift(from, flat);
      if (encodeText(key).length > NAME_BYTES_MAX) throw new HostCallError("limit", `cache key of more than ${NAME_BYTES_MAX} bytes`);
      if (ttl !== undefined && !(ttl >= 0)) throw new HostCallError("value-error", "the time to live is negative or not a number");
      host.globalCachePut(key, value, ttl);
      return DONE;
    }
    case "global-cache-get": {
      const found = host.globalCacheGet(HOST_CALLS["global-cache-get"].parameters.lift(from, flat).key);
      return found === undefined ? { kind: REPLY.absent } : bulkAnswer(found);
    }
    case "global-cache-delete":
      return { kind: host.globalCacheDelete(HOST_CALLS["global-cache-delete"].parameters.lift(from, flat).key) ? REPLY.yes : REPLY.no };
    case "check-grant": {
      const { grant, subject } = HOST_CALLS["check-grant"].parameters.lift(from, flat);
      host.checkGrant(grant, subject);
      return DONE;
    }
    case "exceeded":
      throw host.exceeded(LIMIT_NAMES[HOST_CALLS.exceeded.parameters.lift(from, flat).limit]);
    case "system-metrics":
      return bulkAnswer(host.systemMetrics(HOST_CALLS["system-metrics"].parameters.lift(from, flat).group));
  }
}
