/**
 * What one run may ask of the host: counts lines, bytes and queries before they are taken over, and refuses what goes
 * beyond as `ResourceLimitError` in the plugin. Each limit that is met is told once per run to whoever made the meter.
 */
import { HostCallError, type PluginHost } from "../../ports/plugin-runtime.ts";
import type { ProcessingLimits } from "./limits.ts";

/** The limits of a run that concern its host calls. */
export type RunLimits = Pick<ProcessingLimits, "runLogLinesMax" | "runLogBytesMax" | "runWriteBytesMax" | "runQueriesMax">;

/** The budgets of one run. */
export class RunMeter {
  readonly #limits: RunLimits;
  readonly #onMet: (text: string) => void;
  readonly #met = new Set<string>();
  #logLines = 0;
  #logBytes = 0;
  #writeBytes = 0;
  #queries = 0;

  constructor(limits: RunLimits, onMet: (text: string) => void) {
    this.#limits = limits;
    this.#onMet = onMet;
  }

  /** Throws `HostCallError` kind `limit`. */
  log(text: string): void {
    const { runLogLinesMax, runLogBytesMax } = this.#limits;
    this.#logLines += 1;
    if (this.#logLines > runLogLinesMax) this.#refuse(`one run logs at most ${runLogLinesMax} lines`);
    this.#logBytes += text.length;
    if (this.#logBytes > runLogBytesMax) this.#refuse(`one run logs at most ${runLogBytesMax} bytes`);
  }

  /** Line protocol, buffered or not. Throws `HostCallError` kind `limit`. */
  write(lines: string): void {
    this.#writeBytes += lines.length;
    if (this.#writeBytes > this.#limits.runWriteBytesMax) this.#refuse(`one run writes at most ${this.#limits.runWriteBytesMax} bytes`);
  }

  /** Throws `HostCallError` kind `limit`. */
  query(): void {
    this.#queries += 1;
    if (this.#queries > this.#limits.runQueriesMax) this.#refuse(`one run makes at most ${this.#limits.runQueriesMax} queries`);
  }

  #refuse(text: string): never {
    if (!this.#met.has(text)) {
      this.#met.add(text);
      this.#onMet(text);
    }
    throw new HostCallError("limit", text);
  }
}

/** `host` behind the meter. What was printed has its own budget in the runtime. */
export function meteredHost(host: PluginHost, meter: RunMeter): PluginHost {
  return {
    log(level, text) {
      meter.log(text);
      host.log(level, text);
    },
    output: (text) => host.output(text),
    async query(sql, parameters, database) {
      meter.query();
      return host.query(sql, parameters, database);
    },
    async writeSync(database, lines, noSync) {
      meter.write(lines);
      await host.writeSync(database, lines, noSync);
    },
    globalCachePut: (key, value, ttl) => host.globalCachePut(key, value, ttl),
    globalCacheGet: (key) => host.globalCacheGet(key),
    globalCacheDelete: (key) => host.globalCacheDelete(key),
  };
}
