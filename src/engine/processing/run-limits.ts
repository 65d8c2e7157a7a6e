/**
 * What one run may ask of the host: counts lines, bytes and calls before they are taken over, and refuses what goes
 * beyond as `ResourceLimitError` in the plugin. Each limit that is met is told once per run to whoever made the meter.
 */
import type { LimitName } from "../../core/trigger/limits.ts";
import { HostCallError, type PluginHost } from "../../ports/plugin-runtime.ts";
import type { ProcessingLimits } from "./limits.ts";

/** The limits of a run that concern its host calls. */
export type RunLimits = Pick<
  ProcessingLimits,
  "runLogLinesMax" | "runLogBytesMax" | "runWriteBytesMax" | "runWritesMax" | "runQueriesMax" | "cacheBytesMax" | "responseBytesMax" | "runConnectionsMax" | "runNetworkBytesMax"
>;

/** The budgets of one run. */
export class RunMeter {
  readonly #limits: RunLimits;
  readonly #onMet: (text: string, limit: LimitName) => void;
  readonly #met = new Set<LimitName>();
  #logLines = 0;
  #logBytes = 0;
  #writes = 0;
  #writeBytes = 0;
  #queries = 0;
  #connections = 0;
  #networkBytes = 0;

  constructor(limits: RunLimits, onMet: (text: string, limit: LimitName) => void) {
    this.#limits = limits;
    this.#onMet = onMet;
  }

  /** Throws `HostCallError` kind `limit`. */
  log(text: string): void {
    const { runLogLinesMax, runLogBytesMax } = this.#limits;
    this.#logLines += 1;
    if (this.#logLines > runLogLinesMax) throw this.met("log_lines", `one run logs at most ${runLogLinesMax} lines`);
    this.#logBytes += text.length;
    if (this.#logBytes > runLogBytesMax) throw this.met("log_bytes", `one run logs at most ${runLogBytesMax} bytes`);
  }

  /** Line protocol, buffered or not. Throws `HostCallError` kind `limit`. */
  write(lines: string): void {
    const { runWriteBytesMax } = this.#limits;
    this.#writeBytes += lines.length;
    if (this.#writeBytes > runWriteBytesMax) throw this.met("write_bytes", `one run writes at most ${runWriteBytesMax} bytes`);
  }

  /** A write of its own, now. Throws `HostCallError` kind `limit`. */
  writeSync(lines: string): void {
    const { runWritesMax } = this.#limits;
    this.#writes += 1;
    if (this.#writes > runWritesMax) throw this.met("writes", `one run makes at most ${runWritesMax} synchronous writes`);
    this.write(lines);
  }

  /** Throws `HostCallError` kind `limit`. */
  query(): void {
    const { runQueriesMax } = this.#limits;
    this.#queries += 1;
    if (this.#queries > runQueriesMax) throw this.met("queries", `one run makes at most ${runQueriesMax} queries`);
  }

  /** One more is to be opened. Throws `HostCallError` kind `limit`. */
  connection(): void {
    const { runConnectionsMax } = this.#limits;
    this.#connections += 1;
    if (this.#connections > runConnectionsMax) throw this.met("connections", `one run opens at most ${runConnectionsMax} connections`);
  }

  /** Bytes that may still be sent or received. */
  get networkLeft(): number {
    return Math.max(0, this.#limits.runNetworkBytesMax - this.#networkBytes);
  }

  /** How many bytes may be sent. Throws `HostCallError` kind `limit` when it is none. */
  networkRoom(): number {
    if (this.networkLeft === 0) throw this.#networkMet();
    return this.networkLeft;
  }

  /** So many were sent or received. Throws `HostCallError` kind `limit`. */
  moved(bytes: number): void {
    this.#networkBytes += bytes;
    if (this.#networkBytes > this.#limits.runNetworkBytesMax) throw this.#networkMet();
  }

  #networkMet(): HostCallError {
    return this.met("network_bytes", `one run sends and receives at most ${this.#limits.runNetworkBytesMax} bytes over the network`);
  }

  /** Printed lines are rows of the log too; one beyond the limits is dropped, since nobody can be told. */
  output(text: string): boolean {
    try {
      this.log(text);
      return true;
    } catch {
      return false;
    }
  }

  /** A limit that the guest counts. */
  exceeded(limit: "write_bytes" | "response_bytes" | "cache_bytes"): HostCallError {
    const { runWriteBytesMax, responseBytesMax, cacheBytesMax } = this.#limits;
    const texts = {
      write_bytes: `one run writes at most ${runWriteBytesMax} bytes`,
      response_bytes: `the body of a response has at most ${responseBytesMax} bytes`,
      cache_bytes: `the trigger's cache holds at most ${cacheBytesMax} bytes`,
    };
    return this.met(limit, texts[limit]);
  }

  /** Tells, once per run, that a limit was met, and gives what the plugin is to be told. */
  met(limit: LimitName, text: string): HostCallError {
    if (!this.#met.has(limit)) {
      this.#met.add(limit);
      this.#onMet(text, limit);
    }
    return new HostCallError("limit", text);
  }
}

/** `host` behind the meter. The network does its own counting. */
export function meteredHost(host: Omit<PluginHost, "exceeded">, meter: RunMeter): PluginHost {
  return {
    network: host.network,
    log(level, text) {
      meter.log(text);
      host.log(level, text);
    },
    output(text) {
      if (meter.output(text)) host.output(text);
    },
    async query(sql, parameters, database) {
      meter.query();
      try {
        return await host.query(sql, parameters, database);
      } catch (error) {
        throw error instanceof HostCallError && error.limit !== undefined ? meter.met(error.limit, error.message) : error;
      }
    },
    async writeSync(database, lines, noSync) {
      meter.writeSync(lines);
      await host.writeSync(database, lines, noSync);
    },
    globalCachePut(key, value, ttl) {
      try {
        host.globalCachePut(key, value, ttl);
      } catch (error) {
        throw error instanceof HostCallError && error.kind === "limit" ? meter.met("cache_bytes", error.message) : error;
      }
    },
    globalCacheGet: (key) => host.globalCacheGet(key),
    globalCacheDelete: (key) => host.globalCacheDelete(key),
    checkGrant: (grant, subject) => host.checkGrant(grant, subject),
    exceeded: (limit) => meter.exceeded(limit),
    systemMetrics: (group) => host.systemMetrics(group),
  };
}
