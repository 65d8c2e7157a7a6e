/**
 * Runs one `every:` or `cron:` trigger. Nominal times are epoch-aligned (every) or UTC calendar times (cron). Ticks that a
 * long run made late follow back to back, up to a limit; those of an asynchronous trigger start while it still runs, as
 * far as there are instances (spec: processing-engine §7).
 */
import { nextCronFire } from "../../core/trigger/cron.ts";
import { runWithPolicy } from "./error-policy.ts";
import { MISSED_TICKS_MAX, MISSED_TICKS_SCANNED_MAX } from "./limits.ts";
import { logRow, type ProcessingServices, type TriggerContext, type TriggerRunner } from "./services.ts";

const NS_PER_MS = 1_000_000n;
/** Timers of the runtimes are 32-bit milliseconds. */
const TIMER_MS_MAX = 2_147_483_647;

export class ScheduleTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  readonly #runs = new Set<Promise<void>>();
  #nextMs: number | undefined;
  #lastBegunMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
    this.#nextMs = this.#firstAfter(this.#nowMs());
    this.#arm();
  }

  /** Ticks that are due and have not begun. */
  get queueDepth(): number {
    return this.#nextMs === undefined || this.#nextMs > this.#nowMs() ? 0 : 1;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await Promise.all(this.#runs);
  }

  #nowMs(): number {
    return Number(this.#services.clock.nowNs() / NS_PER_MS);
  }

  /** The first tick of `every:` is the next multiple of the period. */
  #firstAfter(ms: number): number | undefined {
    const { specification } = this.#context;
    if (specification.kind === "cron") return nextCronFire(specification.schedule, ms);
    if (specification.kind !== "every") return undefined;
    const wholeMs = Math.floor(Number(specification.periodNs) / 1e6);
    return (Math.floor(ms / wholeMs) + 1) * wholeMs;
  }

  /** The following ticks of `every:` add the full period. */
  #tickAfter(tick: number): number | undefined {
    const { specification } = this.#context;
    if (specification.kind === "cron") return nextCronFire(specification.schedule, tick);
    return specification.kind === "every" ? tick + Number(specification.periodNs) / 1e6 : undefined;
  }

  #arm(): void {
    if (this.#stopped || this.#nextMs === undefined) return;
    const delayMs = this.#nextMs - this.#nowMs();
    this.#cancelTimer = this.#services.clock.after(Math.min(Math.max(0, delayMs), TIMER_MS_MAX), () => this.#wake());
  }

  #wake(): void {
    if (this.#stopped) return;
    const nominal = this.#nextMs;
    if (nominal === undefined || nominal > this.#nowMs()) {
      this.#arm();
      return;
    }
    const run = this.#fire(nominal).finally(() => {
      const wasFull = this.#isFull();
      this.#runs.delete(run);
      if (wasFull) this.#goOn();
    });
    this.#runs.add(run);
    if (!this.#isFull()) this.#goOn();
  }

  /** No more runs may begin. */
  #isFull(): boolean {
    const { definition, limits } = this.#context;
    return this.#runs.size >= (definition.runAsync ? limits.instancesMax : 1);
  }

  #goOn(): void {
    this.#nextMs = this.#skipMissed(this.#tickAfter(this.#lastBegunMs));
    this.#arm();
  }

  async #fire(nominal: number): Promise<void> {
    this.#lastBegunMs = nominal;
    const goOn = await runWithPolicy(this.#services, this.#context, { kind: "schedule", callTimeSeconds: BigInt(Math.floor(nominal / 1000)) });
    if (!goOn) this.#stopped = true;
  }

  #skipMissed(next: number | undefined): number | undefined {
    if (next === undefined) return next;
    const nowMs = this.#nowMs();
    const { specification } = this.#context;
    const [from, skipped] = specification.kind === "every" ? missedOfPeriod(next, nowMs, Number(specification.periodNs) / 1e6) : this.#missedOfCron(next, nowMs);
    if (skipped === 0) return from;
    this.#context.statistics.ticksSkipped += skipped;
    logRow(this.#services, this.#context, "WARN", `the schedule fell behind: ${skipped} missed runs were skipped`);
    return from;
  }

  /** The last ticks before now are made up; of a long time only so many are looked at, and all of them skipped. */
  #missedOfCron(next: number, nowMs: number): readonly [from: number | undefined, skipped: number] {
    const late: number[] = [];
    let scanned = 0;
    let tick: number | undefined = next;
    for (; tick !== undefined && tick <= nowMs && scanned < MISSED_TICKS_SCANNED_MAX; scanned++) {
      late.push(tick);
      if (late.length > MISSED_TICKS_MAX) late.shift();
      tick = this.#tickAfter(tick);
    }
    if (scanned === MISSED_TICKS_SCANNED_MAX) return [this.#firstAfter(nowMs), scanned];
    return [late[0] ?? tick, scanned - late.length];
  }
}

function missedOfPeriod(next: number, nowMs: number, periodMs: number): readonly [from: number, skipped: number] {
  const skipped = Math.max(0, Math.floor((nowMs - next) / periodMs) - MISSED_TICKS_MAX);
  return [next + skipped * periodMs, skipped];
}
