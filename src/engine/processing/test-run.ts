/**
 * Test runs of plugins (spec: processing-engine §16; request plugins are ours): the plugin runs in an instance of the
 * test's cache name, its queries are real, its writes are collected and checked against the catalog, and nothing is
 * stored. Unlike the reference the log lines stay when the plugin fails.
 */
import type { CatalogLimits } from "../../core/catalog/limits.ts";
import { applyRecord } from "../../core/catalog/ops.ts";
import type { CatalogState } from "../../core/catalog/state.ts";
import { encodeTableBatch } from "../../core/columns/table-batch.ts";
import { formatDuration } from "../../core/config/humantime.ts";
import { isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { LineProtocolParser } from "../../core/line-protocol/parser.ts";
import { planWrite, type WritePlan } from "../../core/line-protocol/plan-write.ts";
import { tableBatches } from "../../core/line-protocol/table-batches.ts";
import { nextCronFire, parseCron } from "../../core/trigger/cron.ts";
import type { OwnGrants } from "../../core/trigger/grants.ts";
import type { OwnLimits } from "../../core/trigger/limits.ts";
import { wantedFiles } from "../../core/trigger/wanted-files.ts";
import { parseTriggerSpecification } from "../../core/trigger/specification.ts";
import type { NamedText, PluginCode, PluginEvent, PluginResponse, TableRows } from "../../ports/plugin-runtime.ts";
import { pluginQuery } from "./plugin-host.ts";
import { connectionText, openRunNetwork } from "./trigger-network.ts";
import { type BareHost, grantedHost, RunAccess } from "./run-access.ts";
import { meteredHost, RunMeter } from "./run-limits.ts";
import { leftOutText, startText } from "./run-plugin.ts";
import type { ProcessingServices } from "./services.ts";
import { TestCaches, type TestPlace } from "./test-caches.ts";
import { failurePlace, failureText, lineErrorText, linesByDatabase, notRun, type RequestTestReport, responseJson, type ScheduleTestReport, type TestReport } from "./test-report.ts";
import { instanceLimits, settingsOf, type TriggerSettings } from "./trigger-settings.ts";

/** What all kinds of tests say of the plugin and its surroundings. */
export interface TestTarget {
  readonly fileName: string;
  readonly database: string;
  readonly cacheName?: string;
  readonly inputArguments?: readonly NamedText[];
  readonly limits?: OwnLimits;
  readonly grants?: OwnGrants;
}

export interface WalTest extends TestTarget {
  readonly inputLp: string;
}

export interface ScheduleTest extends TestTarget {
  /** Cron expression without prefix; default: every second. `cron:` and `every:` are accepted too. */
  readonly schedule?: string;
}

export interface RequestTest extends TestTarget {
  readonly query: readonly NamedText[];
  /** Any case; without `authorization`. */
  readonly headers: readonly NamedText[];
  readonly body: Uint8Array;
}

export interface TestCatalog {
  readonly state: CatalogState;
  readonly limits: CatalogLimits;
}

interface Collected {
  readonly logLines: string[];
  readonly synced: [database: string, lines: string][];
}

interface RunResult {
  readonly report: TestReport;
  readonly response: PluginResponse | undefined;
}

const encoder = new TextEncoder();
const DEFAULT_CACHE = "_shared_test";
/** Names test runs among the runs; no trigger's key is like it. */
const TEST_KEY = "test";
const DEFAULT_SCHEDULE = "* * * * * *";
const NS_PER_MS = 1_000_000n;

export class TestRuns {
  readonly #services: Omit<ProcessingServices, "disable">;
  readonly #catalog: TestCatalog;
  readonly #caches: TestCaches;

  constructor(services: Omit<ProcessingServices, "disable">, catalog: TestCatalog) {
    this.#services = services;
    this.#catalog = catalog;
    this.#caches = new TestCaches(services.runtime, services.clock);
  }

  /** Throws what loading the plugin throws; everything else is in the report. */
  async wal(test: WalTest): Promise<TestReport> {
    const code = await this.#code(test);
    const tables = this.#parse(test.database, test.inputLp);
    if (typeof tables === "string") return notRun(tables);
    return (await this.#run(test, code, { kind: "writes", tables })).report;
  }

  /** The nominal time is the schedule's next one; the database must exist (spec: processing-engine §16). */
  async schedule(test: ScheduleTest): Promise<ScheduleTestReport> {
    const code = await this.#code(test);
    const refused = (error: string): ScheduleTestReport => ({ trigger_time: null, ...notRun(error) });
    if (!this.#catalog.state.databases.has(test.database)) return refused("couldn't find db");
    const nominalMs = nextFire(test.schedule ?? DEFAULT_SCHEDULE, this.#services.clock.nowNs());
    if (typeof nominalMs === "string") return refused(nominalMs);
    const { report } = await this.#run(test, code, { kind: "schedule", callTimeSeconds: BigInt(Math.floor(nominalMs / 1000)) });
    return { trigger_time: report.errors.length > 0 ? null : new Date(nominalMs).toISOString().replace(".000Z", "Z"), ...report };
  }

  async request({ query, headers, body, ...test }: RequestTest): Promise<RequestTestReport> {
    const code = await this.#code(test);
    const seen = headers.map(([name, value]): NamedText => [name.toLowerCase(), value]).filter(([name]) => name !== "authorization");
    const { report, response } = await this.#run(test, code, { kind: "request", query, headers: seen, body });
    return { ...report, response: response === undefined ? null : responseJson(response) };
  }

  async close(): Promise<void> {
    await this.#caches.close();
  }

  /** The newest from a repository, which running triggers do not get. */
  #code(test: TestTarget): Promise<PluginCode> {
    return this.#services.plugins.newest(test.fileName, { pin: false });
  }

  #run(test: TestTarget, code: PluginCode, event: PluginEvent): Promise<RunResult> {
    const settings = settingsOf(this.#services, test);
    const tell = (text: string, { report, response }: RunResult): RunResult => ({ response, report: { ...report, log_lines: [...report.log_lines, `WARN: ${text}`] } });
    return this.#caches.use(test.cacheName ?? DEFAULT_CACHE, instanceLimits(settings, this.#services.access), (place) => this.#runIn(place, settings, { test, code, event }), tell);
  }

  async #runIn(place: TestPlace, settings: TriggerSettings, { test, code, event }: { test: TestTarget; code: PluginCode; event: PluginEvent }): Promise<RunResult> {
    const { clock, access, runtime, sparseRows } = this.#services;
    const { limits, grants } = settings;
    // The interpreter's own start is not the plugin's time.
    await runtime.start();
    const collected: Collected = { logLines: [`INFO: ${startText(event)}`], synced: [] };
    const warn = (text: string): void => void collected.logLines.push(`WARN: ${text}`);
    const meter = new RunMeter(limits, (text) => warn(`limit met: ${text}`));
    const runAccess = new RunAccess({ grants, access, database: test.database, onDenied: (_grant, text) => warn(`denied: ${text}`) });
    const wanted = wantedFiles(grants.files, test.inputArguments);
    const shown = wanted === undefined ? undefined : await this.#services.plugins.shown(wanted);
    if (shown !== undefined && shown.leftOut > 0) warn(leftOutText(shown));
    const run = this.#services.runs.begin(TEST_KEY);
    const network = openRunNetwork(this.#services, { run, access: runAccess, meter }, (record) => {
      if (this.#services.logsConnections) collected.logLines.push(`DEBUG: ${connectionText(record)}`);
    });
    const host = meteredHost(grantedHost({ ...this.#host(test, place, collected), network }, runAccess), meter);
    const started = clock.monotonicMs();
    const outcome = await place.instance.run({ code, arguments: test.inputArguments, shown: shown?.files ?? [], sparseRows, event }, host, { wallTimeMsMax: limits.runWallTimeMsMax }).finally(() => {
      network.end();
      this.#services.runs.end(run);
    });
    const durationMs = clock.monotonicMs() - started;
    const cost = { duration_ms: Math.round(durationMs * 1000) / 1000, memory_bytes: place.instance.memoryBytes() };
    if (outcome.kind !== "done") {
      if (outcome.cacheKeysLost > 0) warn(`the plugin's instance was reset: its private cache lost ${outcome.cacheKeysLost} keys`);
      const errors = [failureText(outcome, limits.runWallTimeMsMax)];
      return { response: undefined, report: { log_lines: collected.logLines, database_writes: {}, errors, ...failurePlace(outcome, code), ...cost } };
    }
    collected.logLines.push(`INFO: finished execution in ${formatDuration(BigInt(Math.max(1, Math.round(durationMs * 1e6))))}`);
    const buffered = outcome.writes.map((write): [string, string] => [write.database ?? test.database, write.lines]);
    const writes = linesByDatabase([...collected.synced, ...buffered]);
    const errors = Object.entries(writes).flatMap(([database, lines]) => this.#check(database, lines, { meter, access: runAccess }));
    return {
      response: outcome.response,
      report: { log_lines: collected.logLines, database_writes: writes, errors, traceback: null, error_file: null, error_line: null, ...cost },
    };
  }

  #host(test: TestTarget, { global }: TestPlace, { logLines, synced }: Collected): Omit<BareHost, "network"> {
    return {
      log: (level, text) => void logLines.push(`${level.toUpperCase()}: ${text}`),
      output: (text) => void logLines.push(`INFO: ${text.replace(/\n$/, "")}`),
      query: (sql, parameters, database) => pluginQuery(this.#services, database ?? test.database, sql, parameters),
      writeSync: async (database, lines) => void synced.push([database ?? test.database, lines]),
      globalCachePut: (key, value, ttl) => global.put(key, value, ttl),
      globalCacheGet: (key) => global.get(key),
      globalCacheDelete: (key) => global.delete(key),
    };
  }

  /** The rows as the plugin would see them, or why they cannot be stored. The database need not exist. */
  #parse(database: string, lines: string): TableRows[] | string {
    try {
      const plan = this.#plan(database, lines);
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

  #plan(database: string, lines: string): WritePlan {
    const parser = new LineProtocolParser();
    parser.begin(encoder.encode(lines), { precision: "nanosecond", nowNs: this.#services.clock.nowNs(), acceptPartial: true });
    while (!parser.step()) continue;
    return planWrite(parser.result(), this.#catalog.state, this.#catalog.limits, database);
  }

  /** What would have been refused. */
  #check(database: string, lines: readonly string[], { meter, access }: { readonly meter: RunMeter; readonly access: RunAccess }): string[] {
    try {
      access.check("db", database);
      meter.write(lines.join("\n"));
      return this.#plan(database, lines.join("\n")).errors.map(lineErrorText);
    } catch (error) {
      return [`Failed to validate output lines to db ${database}: ${messageOf(error)}`];
    }
  }
}

/** Milliseconds of the next time after now, or why there is none. */
function nextFire(text: string, nowNs: bigint): number | string {
  if (text.trim().startsWith("every:")) return nextPeriod(text, nowNs);
  const expression = text.replace(/^\s*cron:/, "");
  const schedule = parseCron(expression);
  if (typeof schedule === "string") return `invalid cron syntax: ${schedule}`;
  return nextCronFire(schedule, Number(nowNs / NS_PER_MS)) ?? `cron schedule never triggers: ${expression}`;
}

function nextPeriod(text: string, nowNs: bigint): number | string {
  try {
    const specification = parseTriggerSpecification(text);
    if (specification.kind !== "every") return `invalid schedule: ${text}`;
    return Number(((nowNs / specification.periodNs + 1n) * specification.periodNs) / NS_PER_MS);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return error.message;
  }
}
