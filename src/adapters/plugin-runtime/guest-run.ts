/**
 * One run of a plugin on one executor: serves the guest's requests, climbs the stop ladder and reports how it ended,
 * exactly once. It begins when the pool gives it an executor and gives that back when it ends.
 */
import { messageOf } from "../../core/errors/database-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { PluginHost } from "../../ports/plugin-runtime.ts";
import { HOST_CALL_NAMES } from "./contract.ts";
import { OPERATION, REPLY, STOP } from "./control-block.ts";
import type { Executor, ExecutorClient } from "./executor.ts";
import type { ExecutorJob, ExecutorPool } from "./executor-pool.ts";
import type { DoneMessage, RunMessage } from "./executor-protocol.ts";
import type { GuestLife } from "./guest-life.ts";
import { GuestMemory } from "./guest-memory.ts";
import { type Answer, refusal } from "./answers.ts";
import { answerHostCall, isRefusedWhileStopping } from "./host-calls.ts";
import { DOORBELL_CHECK_MS, REFUSED_CALL_PAUSE_MS, RUN_HOST_CALLS_MAX, TIMER_MS_MAX } from "./limits.ts";
import type { Request } from "./mailbox.ts";
import { openParcel } from "./output-parcel.ts";
import { type GuestResult, liftRunResult } from "./outcome.ts";
import { type StopGraces, StopLadder, type StopReason } from "./stop-ladder.ts";

/** How a run ended. */
export type RunConclusion =
  | {
      readonly kind: "done";
      readonly message: DoneMessage;
      readonly result: GuestResult | undefined;
      readonly fault: string | undefined;
      readonly stopReason: StopReason | undefined;
    }
  /** `ended` resolves when the thread is gone, as far as the runtime knows. */
  | { readonly kind: "terminated"; readonly stopReason: StopReason; readonly ended: Promise<unknown> }
  | { readonly kind: "withdrawn" }
  | { readonly kind: "lost"; readonly reason: string };

export interface GuestRunParts {
  readonly pool: ExecutorPool;
  /** Names the instance in logs. */
  readonly label: string;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly graces: StopGraces;
  readonly message: RunMessage;
  readonly life: GuestLife;
  /** The trigger, for whom executors may be set apart. */
  readonly owner: string;
  readonly host: PluginHost;
  readonly wallTimeMsMax: number;
  /** The run is past its time and has not ended: it may have to be ended by force. */
  onForeseen(): void;
}

const NOTHING: Answer = { kind: REPLY.none };
/** Of requests that come without one: every address lies outside. */
const NO_MEMORY = new GuestMemory({ buffer: new ArrayBuffer(0), grow: () => 0 });

export class GuestRun implements ExecutorJob, ExecutorClient {
  readonly key: number;
  readonly owner: string;
  readonly #parts: GuestRunParts;
  readonly #conclude: (conclusion: RunConclusion) => void;
  readonly #ladder: StopLadder;
  #executor: Executor | undefined;
  #concluded = false;
  #hostCalls = 0;
  /** Raised per request: late answers to an earlier one are dropped. */
  #requestCount = 0;
  #waiting: { readonly refused: Answer; readonly cancel: () => void } | undefined;
  #fault: string | undefined;
  #cancelCheck: () => void = () => undefined;

  constructor(parts: GuestRunParts, conclude: (conclusion: RunConclusion) => void) {
    this.#parts = parts;
    this.#conclude = conclude;
    this.key = parts.message.key;
    this.owner = parts.owner;
    this.#ladder = new StopLadder(parts.clock, parts.graces, {
      soft: () => this.#soften(),
      foresee: () => this.#foresee(),
      hard: () => this.#executor?.mailbox.setStop(STOP.hard),
      terminate: () => this.#terminate(),
    });
  }

  begin(executor: Executor): void {
    this.#executor = executor;
    executor.mailbox.setStop(STOP.none);
    executor.serve(this);
    this.#ladder.start(this.#parts.wallTimeMsMax);
    executor.run(this.#parts.message, this.#parts.life);
    this.#watchBell();
  }

  refuse(reason: string): void {
    this.#end({ kind: "lost", reason });
  }

  /** Ends the run for this reason; a run that has not begun ends at once. */
  stop(reason: StopReason): void {
    if (this.#executor === undefined && this.#parts.pool.withdraw(this)) this.#end({ kind: "withdrawn" });
    else this.#ladder.stop(reason);
  }

  onRing(): void {
    const request = this.#executor?.mailbox.take();
    if (request === undefined) return;
    this.#requestCount += 1;
    const answer = this.#answer(request);
    if (answer instanceof Promise) this.#await(answer, refusal("interrupted", "the run was stopped"));
    else if (answer !== undefined) this.#reply(answer);
  }

  onDone(message: DoneMessage): void {
    const executor = this.#executor;
    if (message.end.kind !== "returned") executor?.disown(this.key);
    const result = this.#lift(message);
    this.#end({ kind: "done", message, result, fault: this.#fault, stopReason: this.#ladder.reason });
    if (executor !== undefined) this.#parts.pool.release(executor);
  }

  /** From the memory of the guest, which stands still until its next run. */
  #lift({ end, answer, resultMemory }: DoneMessage): GuestResult | undefined {
    if (end.kind !== "returned" || answer === undefined) return undefined;
    const { life, message } = this.#parts;
    try {
      return liftRunResult(resultMemory ?? life.memory?.access ?? NO_MEMORY, {
        ofRequest: answer.entry === "process-request",
        returned: answer.address,
        limits: message.settings,
      });
    } catch (error) {
      this.#fault = messageOf(error);
      return undefined;
    }
  }

  onLost(reason: string): void {
    this.#end({ kind: "lost", reason });
  }

  #end(conclusion: RunConclusion): void {
    if (this.#concluded) return;
    this.#concluded = true;
    this.#ladder.end();
    this.#cancelCheck();
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#requestCount += 1;
    this.#conclude(conclusion);
  }

  /** Undefined: the answer comes later by itself. */
  #answer(request: Request): Answer | Promise<Answer> | undefined {
    const { host, life } = this.#parts;
    const memory = request.memory ?? life.memory?.access ?? NO_MEMORY;
    const name = HOST_CALL_NAMES[request.operation];
    if (name !== undefined) {
      this.#hostCalls += 1;
      if (this.#hostCalls > RUN_HOST_CALLS_MAX) return this.#refuseLater();
      const stopping = this.#ladder.reason !== undefined;
      if (stopping && isRefusedWhileStopping(name)) return refusal("interrupted", "the run was stopped");
      return answerHostCall({ name, slots: request.slots, memory, host }, (error) => this.#logFault(name, error));
    }
    switch (request.operation) {
      case OPERATION.output:
        return this.#guarded(() => openParcel(request.payload).forEach((line) => host.output(line)));
      case OPERATION.sleep:
        return this.#sleep(request.slots[0] ?? 0);
      case OPERATION.fill:
        return this.#guarded(() => memory.write(request.slots[0] ?? -1, this.#executor?.mailbox.takeBulk() ?? new Uint8Array(0)));
      default:
        return refusal("internal", "unknown request");
    }
  }

  /** The limit is told once; a plugin that goes on asking waits each time. */
  #refuseLater(): Answer | undefined {
    const refused = refusal("limit", `one run makes at most ${RUN_HOST_CALLS_MAX} host calls`);
    if (this.#ladder.reason !== undefined) return refused;
    if (this.#hostCalls === RUN_HOST_CALLS_MAX + 1) {
      const { label } = this.#parts;
      this.#parts.log.log("warn", `A run met a limit: one run makes at most ${RUN_HOST_CALLS_MAX} host calls`, { instance: label });
    }
    const token = this.#requestCount;
    this.#wait({ refused, cancel: this.#parts.clock.after(REFUSED_CALL_PAUSE_MS, () => this.#settle(token, refused)) });
    return undefined;
  }

  #guarded(action: () => void): Answer {
    try {
      action();
      return NOTHING;
    } catch (error) {
      this.#fault = messageOf(error);
      return refusal("internal", this.#fault);
    }
  }

  #sleep(durationMs: number): Answer | undefined {
    if (this.#ladder.reason !== undefined) return NOTHING;
    const token = this.#requestCount;
    const cancel = this.#parts.clock.after(Math.min(durationMs, TIMER_MS_MAX), () => this.#settle(token, NOTHING));
    this.#wait({ refused: NOTHING, cancel });
    return undefined;
  }

  #await(answer: Promise<Answer>, refused: Answer): void {
    const token = this.#requestCount;
    this.#wait({ refused, cancel: () => undefined });
    void answer.then((settled) => this.#settle(token, settled));
  }

  #wait(waiting: { refused: Answer; cancel: () => void }): void {
    this.#waiting = waiting;
    if (this.#executor !== undefined) this.#parts.pool.setWaiting(this.#executor, true);
  }

  #settle(token: number, answer: Answer): void {
    if (token !== this.#requestCount || this.#waiting === undefined) return;
    this.#waiting.cancel();
    this.#waiting = undefined;
    if (this.#executor !== undefined) this.#parts.pool.setWaiting(this.#executor, false);
    this.#reply(answer);
  }

  #reply(answer: Answer): void {
    this.#executor?.mailbox.reply(answer.kind, answer.bytes);
  }

  #soften(): void {
    this.#executor?.mailbox.setStop(STOP.soft);
    if (this.#ladder.reason === "time-limit") this.#parts.pool.prepareSpare();
    if (this.#waiting !== undefined) this.#settle(this.#requestCount, this.#waiting.refused);
  }

  /** A cancelled run's instance is about to be closed. */
  #foresee(): void {
    if (this.#ladder.reason === "time-limit") this.#parts.onForeseen();
  }

  #terminate(): void {
    const ended = this.#executor === undefined ? Promise.resolve() : this.#parts.pool.discard(this.#executor);
    this.#end({ kind: "terminated", stopReason: this.#ladder.reason ?? "cancelled", ended });
  }

  /** A notification that got lost must not hang the run: look into the block now and then. */
  #watchBell(): void {
    if (this.#concluded) return;
    this.#cancelCheck = this.#parts.clock.after(DOORBELL_CHECK_MS, () => {
      this.onRing();
      this.#watchBell();
    });
  }

  #logFault(name: string, error: unknown): void {
    this.#parts.log.log("error", "A host call of a plugin failed", { call: name, error: messageOf(error) });
  }
}
