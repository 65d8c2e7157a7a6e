/**
 * The composition root of a server: opens what a node keeps, starts the engine's parts on it, listens. Whatever fails on
 * the way closes what was opened before, so nothing half-started is left behind.
 */
import { cpus } from "node:os";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzip, isUtf8 } from "../adapters/http-node/body-bytes.ts";
import { createDiscard } from "../adapters/http-node/discard.ts";
import { createWorkerEncoder } from "../adapters/kernels/chunk-encoder.ts";
import { loadLineProtocolKernel } from "../adapters/kernels/load.ts";
import { readArtefacts } from "../adapters/plugin-runtime/artefacts.ts";
import { createPythonRuntime } from "../adapters/plugin-runtime/python-runtime.ts";
import { createNodeNetwork } from "../adapters/plugin-network/node-network.ts";
import { createHttpsRepository } from "../adapters/plugin-repository/https.ts";
import { createFolderPluginStore, pinsFolder } from "../adapters/plugin-store/folder.ts";
import { Pins } from "../adapters/plugin-store/pins.ts";
import { DuckdbEngine } from "../adapters/query-engine/duckdb/duckdb-engine.ts";
import { nativeChecksum } from "../adapters/system/checksum.ts";
import { createSystemClock } from "../adapters/system/clock.ts";
import { watchEventLoopDelay } from "../adapters/system/event-loop-delay.ts";
import { tokenSource } from "../adapters/system/token-source.ts";
import { createTurns } from "../adapters/system/turns.ts";
import { machineMemoryBytes } from "../adapters/system/machine-memory.ts";
import { createLogSink } from "../adapters/system/log-sink.ts";
import { makeFolder } from "../adapters/system/make-folder.ts";
import { formatBindAddress } from "../core/config/bind-address.ts";
import { type ResolvedMemory, resolveMemory } from "../core/config/memory-config.ts";
import { allowsTrigger, type ServeConfig } from "../core/config/serve-config.ts";
import { messageOf } from "../core/errors/database-error.ts";
import { INFLUXDB_VERSION, TIDEMARK_VERSION } from "../core/version.ts";
import type { CacheLimits } from "../engine/caches/cache-limits.ts";
import { CacheService } from "../engine/caches/cache-service.ts";
import { withCacheTables } from "../engine/caches/cache-tables.ts";
import { ColumnCache } from "../engine/direct/column-cache.ts";
import { DirectQueries } from "../engine/direct/direct-queries.ts";
import { CatalogService, type CatalogServiceOptions } from "../engine/catalog-service.ts";
import { PROCESSING_LIMITS, type ProcessingLimits, withLimits } from "../engine/processing/limits.ts";
import { withPackageTable } from "../engine/packages/package-table.ts";
import { GapTable } from "../engine/processing/gap-table.ts";
import { LogKeeper } from "../engine/processing/log-keeper.ts";
import { LogTable } from "../engine/processing/log-table.ts";
import type { ProcessingEngine } from "../engine/processing/processing-engine.ts";
import { ProcessingSystemTables } from "../engine/processing/system-tables.ts";
import { withMemoryTable } from "../engine/memory/memory-table.ts";
import { QUERY_LIMITS_DEFAULT, type QueryLimits } from "../engine/query-limits.ts";
import { QUERY_LOG_ENTRIES_DEFAULT, QueryLog } from "../engine/query-log.ts";
import { QueryService } from "../engine/query-service.ts";
import { type NodeFacts, withServerTables } from "../engine/server-tables.ts";
import type { PersistenceSettings } from "../engine/snapshots/persistence.ts";
import { Storage } from "../engine/storage.ts";
import { TokenService } from "../engine/token-service.ts";
import { withTokenTable } from "../engine/token-table.ts";
import { createApp } from "../http/app.ts";
import type { EdgeOptions } from "../http/route.ts";
import type { Services } from "../http/services.ts";
import { Inflations } from "../http/inflations.ts";
import { createRawWriteRoutes, overloaded } from "../http/write-handler.ts";
import type { Clock } from "../ports/clock.ts";
import type { BodyMeter } from "../ports/http-listener.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { PluginStore } from "../ports/plugin-store.ts";
import type { WalLog } from "../ports/wal-log.ts";
import { ReleasedMemory, tuneCollector } from "./collector.ts";
import { Closing } from "./closing.ts";
import { createHealth } from "./health.ts";
import { listen, listenOnUwsOrOwn, RUNTIME } from "./listen.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { createMetrics } from "./metrics.ts";
import { openStores, type Stores } from "./open-stores.ts";
import { openPackages } from "./packages.ts";
import { pluginAccess } from "./plugin-access.ts";
import { packageRoot, workerEntry } from "./paths.ts";
import { processCommand } from "./process-command.ts";
import { createProcessing, processingCatalog, type Processing } from "./processing.ts";
import { readTlsIdentity } from "./tls-identity.ts";
import { readTokenFile } from "./token-file.ts";
import { openTokenRecovery } from "./token-recovery.ts";
import { random16, randomName, randomUuid7 } from "./random.ts";

export interface ServeIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: (name: string) => string | undefined;
}

export interface RunningServer {
  readonly url: string;
  /** False: every request is refused until the first admin token is made. */
  readonly hasTokens: boolean;
  close(): Promise<void>;
}

interface Opened {
  readonly clock: Clock;
  readonly log: LogSink;
  readonly closing: Closing;
}

/** A node without HTTP: what the server and the library have in common. */
export interface RunningNode {
  readonly services: Services;
  readonly catalog: CatalogService;
  readonly storage: Storage;
  readonly processing: Processing;
  readonly tokens: TokenService;
  /** Tells plugins where the server's own API is, once it listens. */
  readonly access: ReturnType<typeof pluginAccess>;
  readonly runtime: { start(): Promise<void> };
  /** Counts the request bodies that are held. */
  readonly bodies: BodyMeter;
  readonly log: LogSink;
  readonly closing: Closing;
  startTriggers(): Promise<void>;
  close(): Promise<void>;
}

/** Throws `server.*`, `catalog.*`, `wal.corrupt`: each message says what to do. */
export async function openNode(config: ServeConfig, io: ServeIo): Promise<RunningNode> {
  const log = createLogSink({
    format: config.log.format,
    levelMin: config.log.level,
    write: config.log.destination === "stderr" ? io.stderr : io.stdout,
    nowMs: () => Date.now(),
  });
  const opened: Opened = { clock: createSystemClock(), log, closing: new Closing(log) };
  try {
    return await start(config, opened, io);
  } catch (error) {
    await opened.closing.run();
    throw error;
  }
}

/** Throws what `openNode` throws, and `server.address_in_use`. */
export async function serve(config: ServeConfig, io: ServeIo): Promise<RunningServer> {
  if (RUNTIME === "node") tuneCollector(resolveMemory(config.memory, machineMemoryBytes()).limitBytes);
  await checkAddress(config);
  const node = await openNode(config, io);
  try {
    const listener = await openHttp(config, node.services, node);
    node.closing.add("HTTP", () => listener.close());
    node.access.listensAt(listener);
    await recoverToken(config, node);
    await node.startTriggers();
    bootInBackground(node.runtime, node.log);
    const hasTokens = config.authentication !== "tokens" || !node.tokens.isEmpty;
    return { hasTokens, url: `${config.tls === undefined ? "http" : "https"}://${formatBindAddress({ host: listener.host, port: listener.port })}`, close: () => node.close() };
  } catch (error) {
    await node.close();
    throw error;
  }
}

async function start(config: ServeConfig, opened: Opened, io: ServeIo): Promise<RunningNode> {
  const { clock, log, closing } = opened;
  const memory = resolveMemory(config.memory, machineMemoryBytes());
  const stores = await openStores(config, opened, closing);
  const { claim } = stores;
  const catalog = await CatalogService.open({ store: stores.objects, prefix: `${config.nodeId}/catalog`, random16, clock, log, onConflict: () => void claim?.supersede(), ...catalogSettings(config) });
  const tokens = new TokenService({ catalog, source: tokenSource, clock, log });
  if (config.adminTokenFile !== undefined) await tokens.adopt(await readTokenFile(config.adminTokenFile, log));
  const wal = await stores.openWal(catalog.uuid);
  const storage = await openStorage(config, opened, { catalog, wal, stores, memory });
  claim?.onSuperseded((error) => storage.refuseWrites(error));
  const engine = await DuckdbEngine.open({
    clock,
    memoryBytes: memory.parts.queries,
    spill: spillFolder(config),
    concurrentQueriesMax: concurrentQueries(config.query.concurrentMax),
    ...(stores.parquet === undefined ? {} : { parquet: stores.parquet }),
  });
  closing.add("query engine", () => engine.close());
  const limits = processingLimits(config);
  const logs = new LogTable(clock, limits.logRowsMax);
  const gaps = new GapTable(clock);
  let triggers: ProcessingEngine | undefined;
  if (config.pluginDir !== undefined) makeFolder(config.pluginDir, { what: "plugin folder", flag: "--plugin-dir" });
  const plugins = openPlugins(config, log);
  const access = pluginAccess(config, io);
  const yieldToEventLoop = createTurns();
  const caches = new CacheService({ catalog, storage, query: (request) => queries.query(request), clock, log, yieldToEventLoop, limits: cacheLimits(config, memory.parts.value_caches) });
  closing.add("caches", async () => caches.close());
  const packages = await openPackages(config, io.env, plugins);
  const ownTables = withTokenTable(new ProcessingSystemTables({ catalog: processingCatalog(catalog), logs, gaps, plugins, defaults: { limits, access }, states: () => triggers?.statistics() ?? [] }), catalog);
  const queryLog = new QueryLog({ clock, entriesMax: config.query.logEntriesMax ?? QUERY_LOG_ENTRIES_DEFAULT, newId: () => randomUuid7(Date.now()) });
  const node = nodeFacts(config, clock.nowNs());
  const serverTables = withServerTables(withCacheTables(withPackageTable(ownTables, () => packages.installed()), caches, (name) => catalog.state.databases.get(name)), { catalog, source: storage, log: queryLog, node });
  const systemTables = withMemoryTable(serverTables, { rows: () => ledger.rows() });
  const columns = new ColumnCache((path) => stores.objects.get(path), memory.parts.column_cache);
  const direct = new DirectQueries({ columns, clock, log, yieldToEventLoop });
  const queries = new QueryService({ catalog, source: storage, engine, files: stores.cache, systemTables, caches: { service: caches, yieldToEventLoop }, direct, clock, limits: queryLimits(config), log: queryLog });
  caches.start();
  const released = new ReleasedMemory(clock);
  closing.add("released memory", () => released.close());
  const runtime = createPythonRuntime({
    loadArtefacts: () => readArtefacts(new URL("runtime-wasm/dist/", packageRoot())),
    executorEntry: workerEntry("executor-worker"),
    clock,
    log,
    // Deno and Bun cannot stop a spinning thread: a process can be killed everywhere.
    isolation: config.pluginIsolation ?? (RUNTIME === "node" ? "shared" : "process"),
    processCommand: processCommand("executor-process", [packages.root, config.pluginDir].filter((folder) => folder !== undefined)),
    terminationEndsThread: RUNTIME === "node",
    clockResolutionNs: config.pluginClockResolutionNs,
    packages: () => packages.folder(),
    ...(config.pluginExecutors === undefined ? {} : { concurrency: config.pluginExecutors }),
    memoryBytesMax: memory.parts.plugins,
    // Elsewhere the memories are in processes of their own.
    ...(RUNTIME === "node" ? { onReleased: (bytes: number) => released.note(bytes) } : {}),
    ...(config.pluginThreadsMax === undefined ? {} : { executorsMax: config.pluginThreadsMax }),
  });
  packages.onChange(() => runtime.renewExecutors());
  closing.add("plugin runtime", () => runtime.close());
  const processing = createProcessing({ catalog, storage, queries, runtime, plugins, clock, log, logs, gaps, newRunId: () => randomUuid7(Date.now()), limits, access, network: createNodeNetwork(), logsConnections: config.log.level === "debug", sparseRows: config.pluginRowStyle === "sparse" });
  triggers = processing.engine;
  keepLogs(config.pluginLogDatabase, { storage, logs, clock, log, closing });
  closing.add("test runs", () => processing.tests.close());
  closing.add("triggers", () => processing.engine.close());
  const bodies = { limitBytes: memory.parts.bodies, usedBytes: 0 };
  const ledger = memoryLedger(memory, clock, { storage, engine, caches, columns, runtime, bodies });
  closing.add("memory watch", () => ledger.close());
  const loopDelay = watchEventLoopDelay();
  closing.add("event loop watch", () => loopDelay.stop());
  const services: Services = {
    catalog,
    storage,
    queries,
    caches,
    processing: processingApi(processing),
    packages: packages.api,
    tokens,
    metrics: createMetrics({ storage, caches, catalog, direct, columns, processing: processing.engine, runtime, engine, loopDelay, stores, ledger }),
    health: createHealth(stores, storage),
    clusterUuid: catalog.uuid,
    version: { influxdb: INFLUXDB_VERSION, tidemark: TIDEMARK_VERSION, revision: TIDEMARK_VERSION },
  };
  return { services, catalog, storage, processing, tokens, access, runtime, bodies, log, closing, startTriggers: async () => processing.engine.start(), close: () => closing.run() };
}

/** What queries write when they do not fit their memory; a crash may have left some of it. */
function spillFolder({ objectStore, nodeId }: ServeConfig): { readonly folder: string; readonly bytesMax: number } | undefined {
  if (objectStore.kind === "memory") return undefined;
  const folder = join(objectStore.dataDir, nodeId, "query-spill");
  rmSync(folder, { recursive: true, force: true });
  return { folder, bytesMax: QUERY_SPILL_BYTES_MAX };
}

const QUERY_SPILL_BYTES_MAX = 1_073_741_824;

/** Of libuv's threads two are kept for others (design §8.3). */
function concurrentQueries(wanted: number | undefined): number | undefined {
  const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
  return wanted === undefined ? undefined : Math.max(1, Math.min(wanted, (Number.isInteger(threads) ? threads : 4) - 2));
}

const queryLimits = ({ query }: ServeConfig): QueryLimits => ({ timeoutMs: query.timeoutMs ?? QUERY_LIMITS_DEFAULT.timeoutMs, filesMax: query.filesMax });

/** No secret is among the settings shown. */
function nodeFacts(config: ServeConfig, startedNs: bigint): NodeFacts {
  const shown = { "node-id": config.nodeId, "object-store": config.objectStore.kind, "http-bind": formatBindAddress(config.bind) };
  return { nodeId: config.nodeId, instanceId: randomUuid7(Date.now()), coreCount: cpus().length, startedNs, cliParams: JSON.stringify(shown), gen1DurationNs: config.gen1DurationNs };
}

/** Listens for a moment, so that a taken port or an unusable certificate is found before a folder is made. Throws as the real listening does. */
async function checkAddress({ bind, httpRequestSizeMax, tls }: ServeConfig): Promise<void> {
  const identity = tls === undefined ? undefined : readTlsIdentity(tls);
  if (bind.port === 0 && identity === undefined) return;
  const starting = (): Response => new Response("the server is starting", { status: 503 });
  await (await listen({ ...bind, fetch: starting, bodySizeMax: httpRequestSizeMax, ...(identity === undefined ? {} : { tls: identity }) })).close();
}

interface StorageParts {
  readonly catalog: CatalogService;
  readonly wal: WalLog;
  readonly stores: Stores;
  readonly memory: ResolvedMemory;
}

async function openStorage(config: ServeConfig, { clock, log, closing }: Opened, { catalog, wal, stores, memory }: StorageParts): Promise<Storage> {
  const kernels = new URL("runtime-wasm/dist/", packageRoot());
  const yieldToEventLoop = createTurns();
  const encoder = stores.parquet === undefined ? undefined : createWorkerEncoder({ workerUrl: workerEntry("encode-worker"), kernels, log, yieldToEventLoop });
  closing.add("encoding thread", () => encoder?.close());
  let opened: Storage | undefined;
  closing.add("storage", () => (opened === undefined ? wal.close() : opened.close()));
  const otherWal = await stores.openOtherWal?.(catalog.uuid);
  opened = await Storage.open({
    catalog,
    wal,
    otherWal,
    clock,
    log,
    limits: {
      ringBytes: memory.parts.wal_ring,
      bufferBytes: memory.parts.buffer,
      // Each commit is a request to the store: as the reference, one per flush.
      ...(stores.walInStore ? { commitIntervalMs: config.walFlushIntervalMs } : {}),
    },
    feedLimits: {
      ...(config.walRetainBytes === undefined ? {} : { retainBytesMax: config.walRetainBytes }),
      memoryBytesMax: memory.parts.trigger_feed,
    },
    yieldToEventLoop,
    walReplayFailOnError: config.walReplayFailOnError,
    random16,
    checksum: nativeChecksum(),
    makeKernel: await loadLineProtocolKernel(kernels, log),
    ...(encoder === undefined ? {} : { snapshots: { ...snapshotSettings(config, stores.objects, memory), onConflict: () => void stores.claim?.supersede(), encoder } }),
  });
  return opened;
}

/** The reference counts one WAL file per flush interval, so its number of files is a time here. */
function snapshotSettings(config: ServeConfig, store: ObjectStore, memory: ResolvedMemory): PersistenceSettings {
  const { nodeId, gen1DurationNs, walSnapshotSize, walFlushIntervalMs, retentionCheckMs, deleteGraceNs } = config;
  return {
    store,
    nodeId,
    gen1DurationNs,
    ageMsMax: walSnapshotSize * walFlushIntervalMs,
    mergeMemoryBytesMax: memory.parts.merges,
    queryMsMax: queryLimits(config).timeoutMs + QUERY_SLACK_MS,
    ...(retentionCheckMs === undefined ? {} : { retentionCheckMs }),
    ...(deleteGraceNs === undefined ? {} : { deleteGraceNs }),
  };
}

/** A query that is stopped takes a moment to end. */
const QUERY_SLACK_MS = 5_000;

function catalogSettings({ catalogLimits, hardDeleteAfterNs }: ServeConfig): Pick<CatalogServiceOptions, "limits" | "hardDeleteAfterNs"> {
  return { limits: catalogLimits, ...(hardDeleteAfterNs === undefined ? {} : { hardDeleteAfterNs }) };
}

function cacheLimits(config: ServeConfig, bytesMax: number): Partial<CacheLimits> {
  const { lastCacheEvictionIntervalMs, distinctCacheEvictionIntervalMs } = config;
  return {
    bytesMax,
    ...(lastCacheEvictionIntervalMs === undefined ? {} : { lastEvictionIntervalMs: lastCacheEvictionIntervalMs }),
    ...(distinctCacheEvictionIntervalMs === undefined ? {} : { distinctEvictionIntervalMs: distinctCacheEvictionIntervalMs }),
  };
}

function processingLimits(config: ServeConfig): ProcessingLimits {
  return withLimits({ ...PROCESSING_LIMITS, flushIntervalMs: config.walFlushIntervalMs }, config.pluginLimits);
}

const bundledPlugins = (): string => join(fileURLToPath(packageRoot()), "plugins");

function openPlugins({ pluginDir, pluginDirOnly, pluginRepo }: ServeConfig, log: LogSink): PluginStore {
  if (pluginRepo !== undefined && /^http:\/\/(?!(?:127\.|localhost\b|\[::1\]))/.test(pluginRepo)) {
    log.log("warn", `Plugins from '${pluginRepo}' come unencrypted: whoever is on the way can change their code`);
  }
  const pins = new Pins({ folder: pinsFolder(pluginDir), randomName, log });
  return createFolderPluginStore({
    folder: pluginDir,
    overlay: bundledPlugins(),
    randomName,
    repository: pluginDirOnly ? undefined : { base: pluginRepo, http: createHttpsRepository(), pins, log },
  });
}

function processingApi({ engine, tests, files }: Processing): Services["processing"] {
  return {
    createTrigger: (request) => engine.createTrigger(request),
    updateTrigger: (request) => engine.updateTrigger(request),
    askedGrants: (pluginFileName) => engine.askedGrants(pluginFileName),
    likelyGrants: (pluginFileName) => engine.likelyGrants(pluginFileName),
    deleteTrigger: (database, name, force) => engine.deleteTrigger(database, name, force),
    setTriggerEnabled: (database, name, enabled) => engine.setTriggerEnabled(database, name, enabled),
    testWal: (request) => tests.wal(request),
    testSchedule: (request) => tests.schedule(request),
    testRequest: (request) => tests.request(request),
    request: (request) => engine.request(request),
    createPluginFile: (name, content) => files.create(name, content),
    updatePluginFile: (triggerName, content) => files.update(triggerName, content),
    updatePluginFolder: (triggerName, content) => files.updateFolder(triggerName, content),
  };
}

interface HttpParts {
  readonly tokens: TokenService;
  readonly log: LogSink;
  readonly bodies: BodyMeter;
  readonly processing: Pick<Processing, "engine">;
}

/** Bytes of a body that are worth taking at once. */
const DENO_WHOLE_BODY_SIZE_MAX = 16_384;

async function openHttp(config: ServeConfig, services: Services, { tokens, log, bodies, processing }: HttpParts): ReturnType<typeof listen> {
  const options: EdgeOptions = {
    bodySizeMax: config.httpRequestSizeMax,
    gunzip,
    // Elsewhere it is not known to free anything.
    ...(RUNTIME === "node" ? { discard: createDiscard() } : {}),
    // Deno takes memory for every byte that is announced before one has come.
    ...(RUNTIME === "deno" ? { wholeBodySizeMax: DENO_WHOLE_BODY_SIZE_MAX } : {}),
    inflations: new Inflations(createSystemClock(), overloaded),
    isUtf8,
    newRequestId: () => randomUuid7(Date.now()),
    processId: randomUuid7(Date.now()),
    log,
    monotonicMs: () => performance.now(),
    logsRequests: config.log.level === "debug",
    localCallersOnly: config.authentication === "this-machine",
    ...(config.authentication === "tokens" ? { authenticate: (token: string | undefined) => tokens.authenticate(token), openPaths: config.openPaths } : {}),
    isPlugin: (peer) => processing.engine.isPlugin(peer),
    allowsTrigger: (specification) => allowsTrigger(config, specification),
  };
  const app = createApp(services, options);
  const listening: Parameters<typeof listen>[0] = {
    host: config.bind.host,
    port: config.bind.port,
    fetch: (request, peer) => app.fetch(request, { peer }),
    bodySizeMax: config.httpRequestSizeMax,
    closeGraceMs: config.shutdownTimeoutMs,
    bodies,
    raw: createRawWriteRoutes(services, options),
    ...(config.tls === undefined ? {} : { tls: readTlsIdentity(config.tls) }),
  };
  return config.httpTransport === "uws" ? listenOnUwsOrOwn(listening, log) : listen(listening);
}

async function recoverToken({ tokenRecoveryBind, tls }: ServeConfig, { tokens, log, closing }: RunningNode): Promise<void> {
  if (tokenRecoveryBind === undefined) return;
  const listener = await openTokenRecovery(tokenRecoveryBind, { tokens, log, tls: tls === undefined ? undefined : readTlsIdentity(tls) });
  closing.add("token recovery", () => listener.close());
}

/** Booting the interpreter takes a while; the server answers meanwhile, and the first run waits for it. */
function bootInBackground(runtime: { start(): Promise<void> }, log: LogSink): void {
  runtime.start().catch((error: unknown) => log.log("error", `The plugin runtime does not start: ${messageOf(error)}`));
}

function keepLogs(database: string | undefined, { storage, logs, clock, log, closing }: Opened & { readonly storage: Storage; readonly logs: LogTable }): void {
  if (database === undefined) return;
  const write = (lines: string): Promise<unknown> =>
    storage.write({ database, body: new TextEncoder().encode(lines), precision: "nanosecond", acceptPartial: false, noSync: false });
  const keeper = new LogKeeper({ logs, database, write, clock, log });
  closing.add("kept logs", () => keeper.close());
}
