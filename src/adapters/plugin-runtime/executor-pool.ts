/**
 * The executors: started when work waits and no thread is free, ended when idle. A run that waits in a host call holds
 * its thread but not its share of the processors, so another one may run (design §8.1). Runs start in order of arrival.
 */
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { Executor } from "./executor.ts";
import type { ExecutorData } from "./executor-protocol.ts";
import { EXECUTOR_START_MS_MAX, LONG_RUN_MS } from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";

/** Work for one executor. It must call `release` or `discard` of the pool exactly once after `begin`. */
export interface ExecutorJob {
  /** The guest's key: a thread that holds it already is preferred. */
  readonly key: number | undefined;
  begin(executor: Executor): void;
  /** No executor can be had. */
  refuse(reason: string): void;
}

export interface ExecutorPoolOptions {
  readonly entry: URL;
  readonly module: WebAssembly.Module;
  readonly stdlib: SharedArrayBuffer;
  readonly executorsMax: number;
  /** Runs that may compute at the same time. */
  readonly concurrency: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly log: LogSink;
}

type ExecutorState = "starting" | "idle" | "running" | "waiting";

interface Member {
  state: ExecutorState;
  cancelTimer: () => void;
  /** Has computed for so long that it no longer counts against the concurrency. */
  long: boolean;
}

/** After so many failed starts in a row waiting work is refused instead of tried for ever. */
const FAILED_STARTS_MAX = 3;

export class ExecutorPool {
  readonly #options: ExecutorPoolOptions;
  readonly #members = new Map<Executor, Member>();
  readonly #queue: ExecutorJob[] = [];
  #image: MemoryImage | undefined;
  #failedStarts = 0;
  #closed = false;

  constructor(options: ExecutorPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Starts an executor of its own, boots the interpreter in `memory` there and takes the image. */
  async bootImage(memory: WebAssembly.Memory): Promise<MemoryImage> {
    const image = await new Promise<MemoryImage>((resolve, reject) => {
      const executor = new Executor(this.#options.entry, this.#data(), {
        onReady: () => executor.boot(memory),
        onBooted: (booted) => void executor.terminate().then(() => resolve(booted)),
        onBootFailed: (message) => void executor.terminate().then(() => reject(new Error(message))),
        onLost: (reason) => reject(new Error(reason)),
      });
    });
    this.#image = image;
    this.#start();
    return image;
  }

  submit(job: ExecutorJob): void {
    this.#queue.push(job);
    this.#pump();
  }

  /** Takes a job back that has not begun; false when it has. */
  withdraw(job: ExecutorJob): boolean {
    const index = this.#queue.indexOf(job);
    if (index >= 0) this.#queue.splice(index, 1);
    return index >= 0;
  }

  /** Whether the run on this executor waits for the host; lets another run start meanwhile. */
  setWaiting(executor: Executor, waiting: boolean): void {
    const member = this.#members.get(executor);
    if (member === undefined) return;
    member.state = waiting ? "waiting" : "running";
    if (waiting) this.#pump();
  }

  release(executor: Executor): void {
    executor.serve(undefined);
    this.#idle(executor);
    this.#pump();
  }

  /** Ends an executor whose run cannot be left in any other way; resolves when the runtime says that it has ended. */
  discard(executor: Executor): Promise<unknown> {
    this.#remove(executor);
    const ended = executor.terminate();
    this.#pump();
    return ended;
  }

  /** All threads drop what they hold of this guest. */
  forget(key: number): void {
    for (const executor of this.#members.keys()) executor.forget([key]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const executors = [...this.#members.keys()];
    for (const executor of executors) this.#remove(executor);
    for (const job of this.#queue.splice(0)) job.refuse("the plugin runtime is closed");
    await Promise.all(executors.map((executor) => executor.terminate()));
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#computing < this.#options.concurrency) {
      const executor = this.#findIdle(this.#queue[0]?.key);
      if (executor === undefined) return this.#grow();
      const job = this.#queue.shift() as ExecutorJob;
      this.#members.get(executor)?.cancelTimer();
      const cancelTimer = this.#options.clock.after(LONG_RUN_MS, () => this.#tookLong(executor));
      this.#members.set(executor, { state: "running", cancelTimer, long: false });
      executor.hold(true);
      job.begin(executor);
    }
  }

  /** A plugin that spins until its time limit must not keep the others waiting; the system shares the processors then. */
  #tookLong(executor: Executor): void {
    const member = this.#members.get(executor);
    if (member === undefined) return;
    member.long = true;
    this.#pump();
  }

  /** Runs that compute and count. */
  get #computing(): number {
    let count = 0;
    for (const { state, long } of this.#members.values()) if (state === "running" && !long) count += 1;
    return count;
  }

  #findIdle(key: number | undefined): Executor | undefined {
    let found: Executor | undefined;
    for (const [executor, { state }] of this.#members) {
      if (state !== "idle") continue;
      if (key !== undefined && executor.holds(key)) return executor;
      found ??= executor;
    }
    return found;
  }

  #count(state: ExecutorState): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.state === state) count += 1;
    return count;
  }

  #grow(): void {
    const { executorsMax, concurrency } = this.#options;
    const wanted = Math.min(this.#queue.length, concurrency - this.#computing) - this.#count("starting");
    for (let count = 0; count < wanted && this.#members.size < executorsMax; count += 1) this.#start();
  }

  #start(): void {
    const { clock, entry } = this.#options;
    const executor = new Executor(entry, this.#data(), {
      onReady: () => this.#ready(executor),
      onBooted: () => undefined,
      onBootFailed: () => undefined,
      onLost: (reason) => this.#lost(executor, reason),
    });
    const cancelTimer = clock.after(EXECUTOR_START_MS_MAX, () => {
      void executor.terminate();
      this.#lost(executor, `it was not ready after ${EXECUTOR_START_MS_MAX} ms`);
    });
    this.#members.set(executor, { state: "starting", cancelTimer, long: false });
  }

  #data(): Omit<ExecutorData, "control"> {
    return { module: this.#options.module, stdlib: this.#options.stdlib, image: this.#image };
  }

  #ready(executor: Executor): void {
    this.#failedStarts = 0;
    this.#members.get(executor)?.cancelTimer();
    this.#idle(executor);
    this.#pump();
  }

  #idle(executor: Executor): void {
    if (!this.#members.has(executor)) return;
    executor.hold(false);
    this.#members.get(executor)?.cancelTimer();
    const cancelTimer = this.#options.clock.after(this.#options.idleMs, () => {
      // The last one stays: the next run must not wait for a thread to start.
      if (this.#members.size === 1) return;
      this.#remove(executor);
      void executor.terminate();
    });
    this.#members.set(executor, { state: "idle", cancelTimer, long: false });
  }

  #lost(executor: Executor, reason: string): void {
    const state = this.#members.get(executor)?.state;
    this.#remove(executor);
    if (this.#closed) return;
    this.#options.log.log("warn", "An executor of the plugin runtime ended", { reason });
    if (state === "starting") this.#failedStarts += 1;
    if (this.#failedStarts >= FAILED_STARTS_MAX) {
      this.#failedStarts = 0;
      for (const job of this.#queue.splice(0)) job.refuse(`no executor could be started: ${reason}`);
    }
    this.#pump();
  }

  #remove(executor: Executor): void {
    this.#members.get(executor)?.cancelTimer();
    this.#members.delete(executor);
  }
}
