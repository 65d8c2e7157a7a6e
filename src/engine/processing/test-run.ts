/**
 * Test runs of WAL and schedule plugins (spec: processing-engine §16): the plugin runs in a throw-away instance, its
 * queries are real, its writes are collected and checked against the catalog, and nothing is stored. Unlike the
 * reference the log lines stay when the plugin fails.
 */
import type { CatalogLimits } from "../../core/catalog/limits.ts";
import { applyRecord } from "../../core/catalog/ops.ts";
import type { CatalogState } from "../../core/catalog/state.ts";
import { encodeTableBatch } from "../../core/columns/table-batch.ts";
import { formatDuration } from "../../core/config/humantime.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { LineProtocolParser } from "../../core/line-protocol/parser.ts";
import { planWrite, type WritePlan } from "../../core/line-protocol/plan-write.ts";
import { tableBatches } from "../../core/line-protocol/table-batches.ts";
import { nextCronFire, parseCron } from "../../core/trigger/cron.ts";
import type { NamedText, PluginCode, PluginEvent, PluginHost, RunOutcome, TableRows } from "../../ports/plugin-runtime.ts";
import { GlobalCache } from "./global-cache.ts";
import { pluginQuery } from "./plugin-host.ts";
import { grantedHost, RunAccess } from "./run-access.ts";
import { meteredHost, RunMeter } from "./run-limits.ts";
import { startText } from "./run-plugin.ts";
import type { ProcessingServices } from "./services.ts";
import { instanceLimits, settingsOf } from "./trigger-settings.ts";
import { GLOBAL_CACHE_BYTES_MAX, TEST_CACHES_MAX } from "./limits.ts";

export interface WalTest {
  readonly fileName: string;
  readonly database: string;
  readonly inputLp: string;
  readonly cacheName?: string;
  readonly inputArguments?: readonly NamedText[];
}

export interface ScheduleTest {
  readonly fileName: string;
  readonly database: string;
  /** Cron expression without prefix; default: every second. */
  readonly schedule?: string;
  readonly cacheName?: string;
  readonly inputArguments?: readonly NamedText[];
}

export interface ScheduleTestReport extends WalTestReport {
  /** The nominal time, RFC 3339; null when the plugin was not run or failed. */
  readonly trigger_time: string | null;
}

/** Answered as JSON as it is. */
export interface WalTestReport {
  readonly log_lines: readonly string[];
  readonly database_writes: Readonly<Record<string, readonly string[]>>;
  readonly errors: readonly string[];
}

export interface TestCatalog {
  readonly state: CatalogState;
  readonly limits: CatalogLimits;
}

/** What both kinds of tests say of the plugin and its surroundings. */
type TestTarget = Pick<WalTest, "fileName" | "database" | "cacheName" | "inputArguments">;

interface Collected {
  readonly logLines: string[];
  readonly synced: [database: string, lines: string][];
}

const encoder = new TextEncoder();
const DEFAULT_CACHE = "_shared_test";
const DEFAULT_SCHEDULE = "* * * * * *";
const NS_PER_MS = 1_000_000n;

export class TestRuns {
  readonly #services: Omit<ProcessingServices, "disable">;
  readonly #catalog: TestCatalog;
  /** By cache name; the oldest goes when there are too many. */
  readonly #caches = new Map<string, GlobalCache>();

  constructor(services: Omit<ProcessingServices, "disable">, catalog: TestCatalog) {
    this.#services = services;
    this.#catalog = catalog;
  }

  /** Throws what loading the plugin throws; everything else is in the report. */
  async wal(test: WalTest): Promise<WalTestReport> {
    const code = await this.#services.plugins.load(test.fileName);
    const tables = this.#parse(test.database, test.inputLp);
    if (typeof tables === "string") return { log_lines: [], database_writes: {}, errors: [tables] };
    return this.#run(test, code, { kind: "writes", tables }, "starting execution of wal plugin.");
  }

  /** The nominal time is the schedule's next one; the database must exist (spec: processing-engine §16). */
  async schedule(test: ScheduleTest): Promise<ScheduleTestReport> {
    const code = await this.#services.plugins.load(test.fileName);
    const refused = (error: string): ScheduleTestReport => ({ trigger_time: null, log_lines: [], database_writes: {}, errors: [error] });
    if (!this.#catalog.state.databases.has(test.database)) return refused("couldn't find db");
    const expression = test.schedule ?? DEFAULT_SCHEDULE;
    const schedule = parseCron(expression);
    if (typeof schedule === "string") return refused(`invalid cron syntax: ${schedule}`);
    const nominalMs = nextCronFire(schedule, Number(this.#services.clock.nowNs() / NS_PER_MS));
    if (nominalMs === undefined) return refused(`cron schedule never triggers: ${expression}`);
    const event: PluginEvent = { kind: "schedule", callTimeSeconds: BigInt(nominalMs / 1000) };
    const report = await this.#run(test, code, event, startText(event));
    return { trigger_time: report.errors.length > 0 ? null : new Date(nominalMs).toISOString().replace(".000Z", "Z"), ...report };
  }

  async #run(test: TestTarget, code: PluginCode, event: PluginEvent, firstLine: string): Promise<WalTestReport> {
    const { clock, runtime, access, sparseRows } = this.#services;
    const settings = settingsOf(this.#services);
    const { limits } = settings;
    const collected: Collected = { logLines: [`INFO: ${firstLine}`], synced: [] };
    const started = clock.monotonicMs();
    const meter = new RunMeter(limits, (text) => void collected.logLines.push(`WARN: limit met: ${text}`));
    const instance = runtime.createInstance(`test of ${test.fileName}`, instanceLimits(settings, access));
    const runAccess = new RunAccess({
      grants: settings.grants,
      access,
      database: test.database,
      onDenied: (_grant, text) => void collected.logLines.push(`WARN: denied: ${text}`),
    });
    let outcome: RunOutcome;
    try {
      outcome = await instance.run({ code, arguments: test.inputArguments, sparseRows, event }, meteredHost(grantedHost(this.#host(test, collected), runAccess), meter), { wallTimeMsMax: limits.runWallTimeMsMax });
    } finally {
      await instance.close();
    }
    if (outcome.kind !== "done") return { log_lines: collected.logLines, database_writes: {}, errors: [errorText(outcome)] };
    const elapsedNs = BigInt(Math.max(1, Math.round((clock.monotonicMs() - started) * 1e6)));
    collected.logLines.push(`INFO: finished execution in ${formatDuration(elapsedNs)}`);
    const buffered = outcome.writes.map((write): [string, string] => [write.database ?? test.database, write.lines]);
    const writes = groupLines([...collected.synced, ...buffered]);
    const errors = Object.entries(writes).flatMap(([database, lines]) => this.#check(database, lines));
    return { log_lines: collected.logLines, database_writes: writes, errors };
  }

  #host(test: TestTarget, { logLines, synced }: Collected): Omit<PluginHost, "checkGrant" | "systemMetrics"> {
    const cache = this.#cache(test.cacheName ?? DEFAULT_CACHE);
    return {
      log: (level, text) => void logLines.push(`${level.toUpperCase()}: ${text}`),
      output: (text) => void logLines.push(`INFO: ${text.replace(/\n$/, "")}`),
      query: (sql, parameters, database) => pluginQuery(this.#services, database ?? test.database, sql, parameters),
      writeSync: async (database, lines) => void synced.push([database ?? test.database, lines]),
      globalCachePut: (key, value, ttl) => cache.put(key, value, ttl),
      globalCacheGet: (key) => cache.get(key),
      globalCacheDelete: (key) => cache.delete(key),
    };
  }

  #cache(name: string): GlobalCache {
    const known = this.#caches.get(name);
    if (known !== undefined) return known;
    const oldest = this.#caches.keys().next().value;
    if (this.#caches.size >= TEST_CACHES_MAX && oldest !== undefined) this.#caches.delete(oldest);
    const cache = new GlobalCache(this.#services.clock, GLOBAL_CACHE_BYTES_MAX / TEST_CACHES_MAX);
    this.#caches.set(name, cache);
    return cache;
  }

  /** The rows as the plugin would see them, or why they cannot be stored. The database need not exist. */
  #parse(database: string, lines: string): TableRows[] | string {
    const parser = new LineProtocolParser();
    try {
      const plan = this.#plan(parser, database, lines);
      const first = plan.errors[0];
      if (first !== undefined) return lineErrorText(first);
      const state = applyRecord(this.#catalog.state, this.#catalog.state.sequence + 1, plan.ops);
      return tableBatches(plan).map((batch): TableRows => {
        const table = state.tablesById.get(batch.tableId);
        const names = (table?.columns ?? []).map((column) => column.name).filter((name) => name !== "time");
        return { tableName: table?.name ?? "", columns: [...names, "time"], batches: [encodeTableBatch(batch)] };
      });
    } catch (error) {
      return messageOf(error);
    }
  }

  #plan(parser: LineProtocolParser, database: string, lines: string): WritePlan {
    parser.begin(encoder.encode(lines), { precision: "nanosecond", nowNs: this.#services.clock.nowNs(), acceptPartial: true });
    while (!parser.step()) continue;
    return planWrite(parser.result(), this.#catalog.state, this.#catalog.limits, database);
  }

  /** What would have been refused, in the reference's debug form. */
  #check(database: string, lines: readonly string[]): string[] {
    try {
      return this.#plan(new LineProtocolParser(), database, lines.join("\n")).errors.map(lineErrorText);
    } catch (error) {
      return [`Failed to validate output lines to db ${database}: ${messageOf(error)}`];
    }
  }
}

function errorText(outcome: Exclude<RunOutcome, { kind: "done" }>): string {
  if (outcome.kind === "raised") return `error executing plugin: ${outcome.typeName}: ${outcome.message}`;
  return outcome.kind === "failed" ? `error executing plugin: ${outcome.message}` : `error executing plugin: stopped, ${outcome.reason}`;
}

function lineErrorText(error: { readonly originalLine: string; readonly lineNumber: number; readonly message: string }): string {
  return `WriteLineError { original_line: ${JSON.stringify(error.originalLine)}, line_number: ${error.lineNumber}, error_message: ${JSON.stringify(error.message)} }`;
}

function groupLines(writes: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [database, lines] of writes) {
    const list = groups.get(database) ?? [];
    groups.set(database, list);
    list.push(...lines.split("\n"));
  }
  return Object.fromEntries(groups);
}
