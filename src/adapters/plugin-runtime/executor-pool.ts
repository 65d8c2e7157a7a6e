/**
 * The executors: started when work waits and none is free, ended when idle. A run that waits in a host call holds its
 * executor but not its share of the processors, so another one may run (design §8.1). Runs start in order of arrival.
 * A trigger that is set apart has executors of its own, which nobody else uses.
 */
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { Executor, ExecutorEvents } from "./executor.ts";
import { EXECUTOR_START_MS_MAX, LONG_RUN_MS } from "./limits.ts";

/** Work for one executor. It must call `release` or `discard` of the pool exactly once after `begin`. */
export interface ExecutorJob {
  /** The guest's key: an executor that holds it already is preferred. */
  readonly key: number;
  /** The trigger: whom an executor is set apart for. */
  readonly owner: string;
  begin(executor: Executor): void;
  /** No executor can be had. */
  refuse(reason: string): void;
}

export interface ExecutorPoolOptions {
  startExecutor(events: ExecutorEvents): Executor;
  /** Every trigger has executors of its own. */
  readonly apart: boolean;
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
  /** The trigger that it is set apart for. */
  owner: string | undefined;
}

/** After so many failed starts in a row waiting work is refused instead of tried for ever. */
const FAILED_STARTS_MAX = 3;

export class ExecutorPool {
  readonly #options: ExecutorPoolOptions;
  readonly #members = new Map<Executor, Member>();
  readonly #queue: ExecutorJob[] = [];
  readonly #apart = new Set<string>();
  /** Started before the last `renew`: they end with their run. */
  readonly #outdated = new Set<Executor>();
  #failedStarts = 0;
  #closed = false;

  constructor(options: ExecutorPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Starts the first one, so that no run has to wait for it. */
  open(): void {
    this.#start(undefined);
  }

  /** Replaces every executor as soon as it is free; guests live on. */
  renew(): void {
    for (const [executor, { state }] of [...this.#members]) {
      if (state === "idle") this.#retire(executor);
      else this.#outdated.add(executor);
    }
    if (!this.#closed && this.#members.size === 0) this.#start(undefined);
    this.#pump();
  }

  #retire(executor: Executor): void {
    this.#remove(executor);
    void executor.retire();
  }

  /** From now on this trigger's runs get executors of their own. */
  setApart(owner: string): void {
    this.#apart.add(owner);
  }

  /** For a run that may have to be ended with its executor: another one is ready then, or soon. */
  prepareSpare(): void {
    for (const { state, owner } of this.#members.values()) if (owner === undefined && (state === "idle" || state === "starting")) return;
    // One more than there may be: the one that is about to be ended counts no longer.
    if (!this.#closed && this.#members.size <= this.#options.executorsMax) this.#start(undefined);
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
    this.#free(executor);
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
    for (let index = 0; index < this.#queue.length && this.#computing < this.#options.concurrency; ) {
      const job = this.#queue[index] as ExecutorJob;
      const executor = this.#findIdle(job);
      if (executor === undefined) {
        // A job that waits for an executor of its own holds up nobody else.
        if (!this.#isApart(job.owner)) return this.#grow(undefined);
        this.#grow(job.owner);
        index += 1;
        continue;
      }
      this.#queue.splice(index, 1);
      const member = this.#members.get(executor) as Member;
      member.cancelTimer();
      const cancelTimer = this.#options.clock.after(LONG_RUN_MS, () => this.#tookLong(executor));
      this.#members.set(executor, { ...member, state: "running", cancelTimer, long: false });
      executor.hold(true);
      job.begin(executor);
    }
  }

  #isApart(owner: string): boolean {
    return this.#options.apart || this.#apart.has(owner);
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

  /** An executor that nobody has been given yet becomes that of a trigger set apart. */
  #findIdle({ key, owner }: ExecutorJob): Executor | undefined {
    const apart = this.#isApart(owner);
    let found: Executor | undefined;
    for (const [executor, member] of this.#members) {
      if (member.state !== "idle" || (member.owner !== undefined && !(apart && member.owner === owner))) continue;
      if (executor.holds(key)) found = executor;
      else if (found === undefined || (member.owner === owner && !found.holds(key))) found = executor;
    }
    if (found !== undefined && apart) (this.#members.get(found) as Member).owner = owner;
    return found;
  }

  #count(state: ExecutorState, owner: string | undefined): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.state === state && member.owner === owner) count += 1;
    return count;
  }

  /** `owner`: for a trigger that is set apart; it may use what is free, so what starts is nobody's yet. */
  #grow(owner: string | undefined): void {
    const { executorsMax, concurrency } = this.#options;
    const waiting = owner === undefined ? this.#queue.length : this.#queue.filter((job) => job.owner === owner).length;
    const wanted = Math.min(waiting, concurrency - this.#computing) - this.#count("starting", undefined);
    for (let count = 0; count < wanted; count += 1) {
      if (this.#members.size >= executorsMax && !this.#retireOne()) return;
      this.#start(undefined);
    }
  }

  /** Makes room by ending an executor that waits for work of its own trigger. */
  #retireOne(): boolean {
    for (const [executor, { state, owner }] of this.#members) {
      if (state !== "idle" || owner === undefined) continue;
      this.#retire(executor);
      return true;
    }
    return false;
  }

  #start(owner: string | undefined): void {
    const { clock } = this.#options;
    const executor = this.#options.startExecutor({
      onReady: () => this.#ready(executor),
      onLost: (reason) => this.#lost(executor, reason),
    });
    const cancelTimer = clock.after(EXECUTOR_START_MS_MAX, () => {
      void executor.terminate();
      this.#lost(executor, `it was not ready after ${EXECUTOR_START_MS_MAX} ms`);
    });
    this.#members.set(executor, { state: "starting", cancelTimer, long: false, owner });
  }

  #ready(executor: Executor): void {
    this.#failedStarts = 0;
    this.#members.get(executor)?.cancelTimer();
    this.#free(executor);
  }

  #free(executor: Executor): void {
    if (this.#outdated.has(executor)) {
      this.#retire(executor);
      if (this.#members.size === 0) this.#start(undefined);
    } else {
      this.#idle(executor);
    }
    this.#pump();
  }

  #idle(executor: Executor): void {
    const member = this.#members.get(executor);
    if (member === undefined) return;
    executor.hold(false);
    member.cancelTimer();
    const cancelTimer = this.#options.clock.after(this.#options.idleMs, () => {
      // The last one stays: the next run must not wait for one to start.
      if (this.#members.size === 1) return;
      this.#retire(executor);
    });
    this.#members.set(executor, { ...member, state: "idle", cancelTimer, long: false });
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
    this.#outdated.delete(executor);
  }
}
