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
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import type { Executor } from "./executor.ts";
import { ExecutorPool } from "./executor-pool.ts";
import type { ExecutorData, MadeImage } from "./executor-protocol.ts";
import { BulkBuffers } from "./bulk-buffers.ts";
import { GuestInstance, type StartedRuntime } from "./instance.ts";
import {
  BOOT_PAGES_INITIAL, BOOT_PAGES_MAX, CLOCK_RESOLUTION_NS, EXECUTORS_MAX, EXECUTOR_IDLE_MS, EXECUTOR_PROCESSES_MAX,
  HARD_STOP_GRACE_MS, MAKING_MS_MAX, QUARANTINE_TERMINATIONS, TERMINATED_TRIGGERS_MAX, TERMINATE_GRACE_MS,
} from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";
import { PackageImages } from "./package-images.ts";
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
  /** Memory images with packages (package-images.ts). Default true. */
  readonly packageImages?: boolean;
  /** Imports that take longer are left to each plugin. Default 10,000 ms. */
  readonly imageMakingMsMax?: number;
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
  /** Images with packages, and what they hold. */
  readonly packageImages: number;
  readonly packageImageBytes: number;
  /** Of all instances and of the images with packages; the interpreter's own image is beside it. */
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
  readonly #packageImages: PackageImages;
  #imageIds = 0;
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
  readonly #making = new Set<Executor>();
  #closed = false;

  constructor(options: PluginRuntimeOptions) {
    this.#options = options;
    this.#packageImages = new PackageImages({
      clock: options.clock, log: options.log,
      packages: () => (options.packageImages === false ? undefined : options.packages?.()),
      make: (imports) => this.#makeImage(imports),
      hasRoom: (bytes) => options.memoryBytesMax === undefined || this.#usedBytes() + bytes <= options.memoryBytesMax,
    });
  }

  async start(): Promise<void> {
    await this.#start();
  }

  /** The installed packages have changed: what runs ends with the old ones, what follows sees the new ones. */
  renewExecutors(): void {
    this.#packageImages.clear();
    this.#started?.pool.renew();
  }

  createInstance(label: string, limits: InstanceLimits): PluginInstance {
    const { clock, log } = this.#options;
    const instance: GuestInstance = new GuestInstance({
      label, clock, log,
      limits,
      memoryBytesMax: (image) => this.#room(limits.memoryBytesMax, image),
      packageImages: this.#packageImages,
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
      packageImages: this.#packageImages.count,
      packageImageBytes: this.#packageImages.bytes,
      memoryBytes: this.#usedBytes(),
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

  /** Of all instances, and of the images with packages. */
  #usedBytes(): number {
    let bytes = this.#packageImages.bytes;
    for (const instance of this.#instances) bytes += instance.ownBytes();
    return bytes;
  }

  /** On an executor of its own, which ends afterwards, whatever happens in it. */
  async #makeImage(imports: readonly ImportStatement[]): Promise<MadeImage> {
    const { startExecutor } = await this.#start();
    const { clock, imageMakingMsMax = MAKING_MS_MAX } = this.#options;
    const id = (this.#imageIds += 1);
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const end = (made: MadeImage): void => {
        cancel();
        this.#making.delete(executor);
        void executor.terminate();
        resolve(made);
      };
      const executor = startExecutor({
        onReady: () => {
          cancel = clock.after(imageMakingMsMax, () => end({ refusal: `its import takes longer than ${imageMakingMsMax} ms` }));
          executor.makeImage(id, imports);
        },
        onImage: end,
        onLost: (reason) => end({ refusal: reason }),
      });
      this.#making.add(executor);
    });
  }

  /** Most memory that a new guest may grow to; throws `plugin.memory_limit` when there is none left to start it. */
  #room(wanted: number, image: MemoryImage): number {
    const { memoryBytesMax } = this.#options;
    if (memoryBytesMax === undefined) return wanted;
    const leftNow = (): number => memoryBytesMax - this.#usedBytes() - image.data.byteLength;
    if (leftNow() < 0) this.#packageImages.shrink();
    const left = leftNow();
    if (left < 0) {
      const used = this.#usedBytes();
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
    await Promise.all([...this.#making].map((executor) => executor.terminate()));
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
    const startExecutor = this.#executorStarter({ ...data, image }, artefacts);
    const pool = new ExecutorPool({
      startExecutor,
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
    this.#started = { pool, image, startExecutor, reusesGrownMemory, bulkBuffers: this.#inProcesses ? undefined : new BulkBuffers() };
    return this.#started;
  }

  #executorStarter(data: Omit<ExecutorData, "control"> & { readonly image: MemoryImage }, { module }: Artefacts): StartedRuntime["startExecutor"] {
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
