/** Answers the host calls of one trigger's plugin with the server's own services. */
import { isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { LimitName } from "../../core/trigger/limits.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { HostCallError, type NamedText, type NetworkCalls } from "../../ports/plugin-runtime.ts";
import type { BareHost } from "./run-access.ts";
import { logRow, type ProcessingServices, type TriggerContext } from "./services.ts";

const LEVEL = { info: "INFO", warn: "WARN", error: "ERROR" } as const;

export function createPluginHost(services: ProcessingServices, context: TriggerContext, { runId, network }: { readonly runId: string; readonly network: NetworkCalls }): BareHost {
  const { log, globalCache } = services;
  const trigger = context.definition.name;
  return {
    network,
    log(level, text) {
      logRow(services, context, LEVEL[level], text, { runId });
      log.log(level, `processing engine: ${text}`, { trigger, database: context.databaseName });
    },
    output(text) {
      for (const line of text.replace(/\n$/, "").split("\n")) {
        logRow(services, context, "INFO", line, { runId });
        log.log("info", `processing engine: ${line}`, { trigger, database: context.databaseName, stream: "stdout" });
      }
    },
    query: (sql, parameters, database) => pluginQuery({ ...services, limits: context.limits }, database ?? context.databaseName, sql, parameters),
    async writeSync(database, lines, noSync) {
      const name = database ?? context.databaseName;
      try {
        context.statistics.linesWritten += await services.storage.write({ database: name, lines, noSync, origin: context.key });
      } catch (error) {
        throw new HostCallError("write-error", `error writing line protocol to ${name}: ${guestText(error, log)}`);
      }
    },
    globalCachePut: (key, value, ttl) => globalCache.put(key, value, ttl, { key: context.key, bytesMax: context.limits.cacheBytesMax }),
    globalCacheGet: (key) => globalCache.get(key),
    globalCacheDelete: (key) => globalCache.delete(key),
  };
}

/** Runs a plugin's query; failures get the reference's text (spec: processing-engine §11). */
export async function pluginQuery(services: Pick<ProcessingServices, "query" | "limits" | "log">, database: string, sql: string, parameters: readonly NamedText[]): Promise<Uint8Array> {
  try {
    const { queryRowsMax, queryBytesMax } = services.limits;
    return await services.query({ database, sql, parameters, rowsMax: queryRowsMax, bytesMax: queryBytesMax });
  } catch (error) {
    if (error instanceof HostCallError) throw error;
    const limit = limitMet(error);
    throw new HostCallError(limit === undefined ? "query-error" : "limit", `error: ${guestText(error, services.log)} executing query on ${database}: ${sql}`, limit);
  }
}

/** A result beyond the plugin's limits is its own affair; everything else is the reference's `QueryError`. */
function limitMet(error: unknown): LimitName | undefined {
  const name = isDatabaseError(error) ? error.details?.["limit"] : undefined;
  return name === "query_rows" || name === "query_bytes" ? name : undefined;
}

/** What a plugin may hear of a failure. Faults of the machine or of ours may name paths: they stay in the server's log. */
export function guestText(error: unknown, log: LogSink): string {
  if (isDatabaseError(error) && error.fault !== "environment" && error.fault !== "internal") return lineText(error.details?.["data"]) ?? error.message;
  log.log("error", "A host call of a plugin failed", { error: messageOf(error) });
  return "internal error of the server";
}

/** Of a refused write: the line and what is wrong with it, in the reference's words (spec §11). */
function lineText(rejected: unknown): string | undefined {
  if (typeof rejected !== "object" || rejected === null || !("error_message" in rejected) || !("line_number" in rejected)) return undefined;
  return `Cannot write: line protocol parse failed: ${String(rejected.error_message)} (line ${String(rejected.line_number)})`;
}
