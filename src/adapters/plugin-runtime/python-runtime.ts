/**
 * The plugin runtime on worker threads: boots CPython once, keeps the memory image and hands instances to a pool of
 * executors. Works on Node, Deno and Bun; where a runtime cannot stop a spinning thread (Deno, Bun) a terminated run's
 * thread is let go and burns on.
 */
import { availableParallelism } from "node:os";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { InstanceLimits, PluginInstance, PluginRuntime } from "../../ports/plugin-runtime.ts";
import type { Artefacts } from "./artefacts.ts";
import { ExecutorPool } from "./executor-pool.ts";
import { GuestInstance, type StartedRuntime } from "./instance.ts";
import {
  BOOT_PAGES_INITIAL, BOOT_PAGES_MAX, EXECUTORS_MAX, EXECUTOR_IDLE_MS, HARD_STOP_GRACE_MS, TERMINATE_GRACE_MS,
} from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";

export interface PluginRuntimeOptions {
  /** Loads the interpreter; called once, at the start. */
  readonly loadArtefacts: () => Promise<Artefacts>;
  /** Built `executor-worker.js`. */
  readonly executorEntry: URL;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Threads at most, waiting ones included. Default 32. */
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
  /** Of all instances; the image, which they start from, is beside it. */
  readonly memoryBytes: number;
}

export function createPythonRuntime(options: PluginRuntimeOptions): PluginRuntime & { statistics(): PluginRuntimeStatistics } {
  return new PythonRuntime(options);
}

/** The guest's own sbrk, which uses up grown memory first (runtime-wasm/cpython/heap-break.c). */
const REUSE_MARK = "heap_break";

class PythonRuntime implements PluginRuntime {
  readonly #options: PluginRuntimeOptions;
  readonly #instances = new Set<GuestInstance>();
  #starting: Promise<StartedRuntime> | undefined;
  #started: StartedRuntime | undefined;
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

  createInstance(label: string, limits: InstanceLimits): PluginInstance {
    const { clock, log } = this.#options;
    const instance: GuestInstance = new GuestInstance({
      label, clock, log,
      memoryBytesMax: (image) => this.#room(limits.memoryBytesMax, image),
      start: () => this.#start(),
      nextKey: () => (this.#keys += 1),
      graces: {
        hardStopGraceMs: this.#options.hardStopGraceMs ?? HARD_STOP_GRACE_MS,
        terminateGraceMs: this.#options.terminateGraceMs ?? TERMINATE_GRACE_MS,
      },
      terminationEndsThread: this.#options.terminationEndsThread ?? false,
      onDone: ({ restoreMs, adoptMs }) => {
        this.#restoreMsLast = restoreMs ?? this.#restoreMsLast;
        this.#adoptMsLast = adoptMs ?? this.#adoptMsLast;
      },
      onClose: () => void this.#instances.delete(instance),
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
      memoryBytes: this.#instanceBytes(),
    };
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
    const stdlib = new SharedArrayBuffer(artefacts.stdlib.length);
    new Uint8Array(stdlib).set(artefacts.stdlib);
    const pool = new ExecutorPool({
      entry: executorEntry,
      module,
      stdlib,
      executorsMax: this.#options.executorsMax ?? EXECUTORS_MAX,
      concurrency: this.#options.concurrency ?? availableParallelism(),
      idleMs: this.#options.executorIdleMs ?? EXECUTOR_IDLE_MS,
      clock,
      log,
    });
    const image = await bootImage(pool);
    this.#bootMs = clock.monotonicMs() - startedMs;
    const reusesGrownMemory = WebAssembly.Module.exports(module).some(({ name }) => name === REUSE_MARK);
    this.#started = { pool, image, reusesGrownMemory };
    return this.#started;
  }
}

async function bootImage(pool: ExecutorPool): Promise<MemoryImage> {
  try {
    return await pool.bootImage(new WebAssembly.Memory({ initial: BOOT_PAGES_INITIAL, maximum: BOOT_PAGES_MAX, shared: true }));
  } catch (error) {
    throw new DatabaseError("server.misconfigured", {
      message: `The Python interpreter does not start: ${messageOf(error)}`,
      hint: "install the package again; if it stays, report it with the version of your runtime",
      cause: error,
    });
  }
}
