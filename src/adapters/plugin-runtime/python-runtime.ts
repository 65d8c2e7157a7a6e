/**
 * The plugin runtime: boots CPython once, keeps the memory image and hands instances to a pool of executors, threads or
 * child processes. Works on Node, Deno and Bun; the latter two cannot stop a spinning thread, so there processes are the
 * choice that holds: with threads a terminated run's thread is let go and burns on.
 */
import { availableParallelism } from "node:os";
import { sharedCopy } from "./shared-copy.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { InstanceLimits, PluginInstance, PluginRuntime } from "../../ports/plugin-runtime.ts";
import type { Artefacts } from "./artefacts.ts";
import type { Executor, ExecutorEvents } from "./executor.ts";
import { ExecutorPool } from "./executor-pool.ts";
import type { ExecutorData } from "./executor-protocol.ts";
import { BulkBuffers } from "./bulk-buffers.ts";
import { GuestInstance, type StartedRuntime } from "./instance.ts";
import {
  BOOT_PAGES_INITIAL, BOOT_PAGES_MAX, CLOCK_RESOLUTION_NS, EXECUTORS_MAX, EXECUTOR_IDLE_MS, EXECUTOR_PROCESSES_MAX,
  HARD_STOP_GRACE_MS, QUARANTINE_TERMINATIONS, TERMINATED_TRIGGERS_MAX, TERMINATE_GRACE_MS,
} from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";
import { type ProcessCommand, ProcessExecutor } from "./process-executor.ts";
import { WorkerExecutor } from "./worker-executor.ts";

export interface PluginRuntimeOptions {
  /** Loads the interpreter; called once, at the start. */
  readonly loadArtefacts: () => Promise<Artefacts>;
  /** Built `executor-worker.js`. */
  readonly executorEntry: URL;
  readonly clock: Clock;
  readonly log: LogSink;
  /** `shared`: threads that every trigger uses; `worker`: threads of its own for each; `process`: child processes. Default shared. */
  readonly isolation?: "shared" | "worker" | "process";
  /** Starts `executor-process.js`; needed for `process`. */
  readonly processCommand?: ProcessCommand;
  /** Executors at most, waiting ones included. Default 32 threads, or 8 processes. */
  readonly executorsMax?: number;
  /** Memory of all instances together, beside the image; default: no limit but that of each. */
  readonly memoryBytesMax?: number;
  /** Runs that compute at the same time. Default: the number of processors. */
  readonly concurrency?: number;
  /** After this time without work an executor ends; the last one stays. Default 10,000 ms. */
  readonly executorIdleMs?: number;
  /** From the request to stop to leaving by force. Default 250 ms. */
  readonly hardStopGraceMs?: number;
  /**
   * Whether ending a worker ends a thread that computes (Node), or lets it burn on (Deno, Bun). With true the guest's
   * memory is used again. Default false.
   */
  readonly terminationEndsThread?: boolean;
  /** Steps in which plugins see time pass. Default 1 µs. */
  readonly clockResolutionNs?: bigint;
  /** Where the installed packages lie now; asked when an executor starts. */
  readonly packages?: () => string | undefined;
  /** So many bytes of memory were dropped and wait for the garbage collector. */
  readonly onReleased?: (bytes: number) => void;
  /** From leaving by force to ending the thread. Default 1,000 ms. */
  readonly terminateGraceMs?: number;
}

/** Figures for metrics and benchmarks. */
export interface PluginRuntimeStatistics {
  readonly executors: number;
  readonly instances: number;
  readonly imageBytes: number;
  readonly restoreMsLast: number;
  /** Instantiating a parked guest on another executor. */
  readonly adoptMsLast: number;
  readonly bootMs: number;
  /** Triggers that got executors of their own because theirs had to be ended repeatedly. */
  readonly quarantined: number;
  /** Executors that were ended to end a run. */
  readonly terminations: number;
  /** Of all instances; the image, which they start from, is beside it. */
  readonly memoryBytes: number;
}

export function createPythonRuntime(options: PluginRuntimeOptions): Omit<PluginRuntime, "statistics"> & { statistics(): PluginRuntimeStatistics; renewExecutors(): void } {
  return new PythonRuntime(options);
}

/** The guest's own sbrk, which uses up grown memory first (runtime-wasm/cpython/heap-break.c). */
const REUSE_MARK = "heap_break";

class PythonRuntime implements PluginRuntime {
  readonly #options: PluginRuntimeOptions;
  readonly #instances = new Set<GuestInstance>();
  #starting: Promise<StartedRuntime> | undefined;
  #started: StartedRuntime | undefined;
  /** Terminations by trigger, of those that have any. */
  readonly #terminations = new Map<string, number>();
  #terminationCount = 0;
  #quarantined = 0;
  #keys = 0;
  #restoreMsLast = 0;
  #adoptMsLast = 0;
  #bootMs = 0;
  #closed = false;

  constructor(options: PluginRuntimeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#start();
  }

  /** The installed packages have changed: what runs ends with the old ones, what follows sees the new ones. */
  renewExecutors(): void {
    this.#started?.pool.renew();
  }

  createInstance(label: string, limits: InstanceLimits): PluginInstance {
    const { clock, log } = this.#options;
    const instance: GuestInstance = new GuestInstance({
      label, clock, log,
      limits,
      memoryBytesMax: (image) => this.#room(limits.memoryBytesMax, image),
      start: () => this.#start(),
      nextKey: () => (this.#keys += 1),
      graces: {
        hardStopGraceMs: this.#options.hardStopGraceMs ?? HARD_STOP_GRACE_MS,
        terminateGraceMs: this.#options.terminateGraceMs ?? TERMINATE_GRACE_MS,
      },
      terminationEndsThread: this.#inProcesses || (this.#options.terminationEndsThread ?? false),
      inProcesses: this.#inProcesses,
      onTerminated: () => this.#noteTermination(label),
      onDone: ({ restoreMs, adoptMs }) => {
        this.#restoreMsLast = restoreMs ?? this.#restoreMsLast;
        this.#adoptMsLast = adoptMs ?? this.#adoptMsLast;
      },
      onClose: () => void this.#instances.delete(instance),
      onReleased: (bytes) => this.#options.onReleased?.(bytes),
    });
    this.#instances.add(instance);
    return instance;
  }

  statistics(): PluginRuntimeStatistics {
    return {
      executors: this.#started?.pool.size ?? 0,
      instances: this.#instances.size,
      imageBytes: this.#started?.image.data.byteLength ?? 0,
      restoreMsLast: this.#restoreMsLast,
      adoptMsLast: this.#adoptMsLast,
      bootMs: this.#bootMs,
      quarantined: this.#quarantined,
      terminations: this.#terminationCount,
      memoryBytes: this.#instanceBytes(),
    };
  }

  get #inProcesses(): boolean {
    return this.#options.isolation === "process";
  }

  /** Executors that are ended again and again are to be one trigger's affair: starting them is work for everybody. */
  #noteTermination(label: string): void {
    this.#terminationCount += 1;
    const count = (this.#terminations.get(label) ?? 0) + 1;
    this.#terminations.delete(label);
    this.#terminations.set(label, count);
    const oldest = this.#terminations.keys().next().value;
    if (this.#terminations.size > TERMINATED_TRIGGERS_MAX && oldest !== undefined) this.#terminations.delete(oldest);
    if (count !== QUARANTINE_TERMINATIONS) return;
    this.#quarantined += 1;
    this.#started?.pool.setApart(label);
    this.#options.log.log("warn", `The plugin of '${label}' had to be ended by force ${count} times: from now on it has executors of its own`, { instance: label });
  }

  /** What the instances have made their own: pages of the image that were not touched cost nothing. */
  #instanceBytes(): number {
    const image = this.#started?.image;
    if (image === undefined) return 0;
    let bytes = 0;
    for (const instance of this.#instances) if (instance.memoryBytes() > 0) bytes += image.data.byteLength + Math.max(0, instance.memoryBytes() - image.memoryBytes);
    return bytes;
  }

  /** Most memory that a new guest may grow to; throws `plugin.memory_limit` when there is none left to start it. */
  #room(wanted: number, image: MemoryImage): number {
    const { memoryBytesMax } = this.#options;
    if (memoryBytesMax === undefined) return wanted;
    const used = this.#instanceBytes();
    const left = memoryBytesMax - used - image.data.byteLength;
    if (left < 0) {
      throw new DatabaseError("plugin.memory_limit", {
        message: `The plugins take ${used} of ${memoryBytesMax} bytes together, and one more needs ${image.data.byteLength}`,
        hint: "raise --plugins-memory or --memory-limit, or disable a trigger",
      });
    }
    return Math.max(image.memoryBytes, Math.min(wanted, image.memoryBytes + left));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#instances].map((instance) => instance.close()));
    await this.#starting?.then(({ pool }) => pool.close()).catch(() => undefined);
  }

  /** A failed start is tried again by the next call. */
  #start(): Promise<StartedRuntime> {
    if (this.#closed) return Promise.reject(new DatabaseError("server.misconfigured", { message: "The plugin runtime is closed" }));
    this.#starting ??= this.#boot().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #boot(): Promise<StartedRuntime> {
    const { loadArtefacts, executorEntry, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    const artefacts = await loadArtefacts();
    const module = await WebAssembly.compile(artefacts.module);
    const data = { module, stdlib: sharedCopy(artefacts.stdlib), image: undefined, packages: undefined, clockResolutionNs: this.#options.clockResolutionNs ?? CLOCK_RESOLUTION_NS };
    const image = await bootImage(executorEntry, data);
    const pool = new ExecutorPool({
      startExecutor: this.#executorStarter({ ...data, image }, artefacts),
      apart: this.#options.isolation === "worker",
      executorsMax: this.#options.executorsMax ?? (this.#inProcesses ? EXECUTOR_PROCESSES_MAX : EXECUTORS_MAX),
      concurrency: this.#options.concurrency ?? availableParallelism(),
      idleMs: this.#options.executorIdleMs ?? EXECUTOR_IDLE_MS,
      clock,
      log,
    });
    pool.open();
    this.#bootMs = clock.monotonicMs() - startedMs;
    const reusesGrownMemory = WebAssembly.Module.exports(module).some(({ name }) => name === REUSE_MARK);
    this.#started = { pool, image, reusesGrownMemory, bulkBuffers: this.#inProcesses ? undefined : new BulkBuffers() };
    return this.#started;
  }

  #executorStarter(data: Omit<ExecutorData, "control"> & { readonly image: MemoryImage }, { module }: Artefacts): (events: ExecutorEvents) => Executor {
    const { executorEntry, processCommand } = this.#options;
    const now = (): typeof data => ({ ...data, packages: this.#options.packages?.() });
    if (!this.#inProcesses) return (events) => new WorkerExecutor(executorEntry, now(), events);
    if (processCommand === undefined) throw new DatabaseError("server.misconfigured", { message: "Executor processes need a command that starts them" });
    return (events) => new ProcessExecutor({ command: processCommand, moduleBytes: module as Uint8Array<ArrayBuffer>, data: now(), events });
  }
}

/** Boots the interpreter on a thread of its own and takes the image. Throws `server.misconfigured`. */
async function bootImage(entry: URL, data: Omit<ExecutorData, "control">): Promise<MemoryImage> {
  const memory = new WebAssembly.Memory({ initial: BOOT_PAGES_INITIAL, maximum: BOOT_PAGES_MAX, shared: true });
  const booted = await new Promise<MemoryImage | string>((resolve) => {
    const executor = new WorkerExecutor(entry, data, {
      onReady: () => executor.boot(memory),
      onBooted: (image) => void executor.terminate().then(() => resolve(image)),
      onBootFailed: (message) => void executor.terminate().then(() => resolve(message)),
      onLost: resolve,
    });
  });
  if (typeof booted !== "string") return booted;
  throw new DatabaseError("server.misconfigured", {
    message: `The Python interpreter does not start: ${booted}`,
    hint: "install the package again; if it stays, report it with the version of your runtime",
  });
}
