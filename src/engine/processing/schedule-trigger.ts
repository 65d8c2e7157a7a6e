/**
 * Runs one `every:` or `cron:` trigger. Nominal times are epoch-aligned (every) or UTC calendar times (cron); a run that
 * takes longer than the period makes the missed ticks follow back to back, up to a limit (spec: processing-engine §7).
 */
import { nextCronFire } from "../../core/trigger/cron.ts";
import { runWithPolicy } from "./error-policy.ts";
import { MISSED_TICKS_MAX } from "./limits.ts";
import type { ProcessingServices, TriggerContext, TriggerRunner } from "./services.ts";

const NS_PER_MS = 1_000_000n;
/** Timers of the runtimes are 32-bit milliseconds. */
const TIMER_MS_MAX = 2_147_483_647;

export class ScheduleTrigger implements TriggerRunner {
  readonly #services: ProcessingServices;
  readonly #context: TriggerContext;
  #nextMs: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #run: Promise<void> | undefined;
  #stopped = false;

  constructor(services: ProcessingServices, context: TriggerContext) {
    this.#services = services;
    this.#context = context;
    this.#nextMs = this.#nextAfter(this.#nowMs(), true);
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#run;
  }

  #nowMs(): number {
    return Number(this.#services.clock.nowNs() / NS_PER_MS);
  }

  /** The first tick of `every:` is the next multiple of the period; the following add the full period. */
  #nextAfter(ms: number, first: boolean): number | undefined {
    const { specification } = this.#context;
    if (specification.kind === "cron") return nextCronFire(specification.schedule, ms);
    if (specification.kind !== "every") return undefined;
    const periodMs = Number(specification.periodNs) / 1e6;
    if (!first) return ms + periodMs;
    const wholeMs = Math.floor(periodMs);
    return (Math.floor(ms / wholeMs) + 1) * wholeMs;
  }

  #arm(): void {
    if (this.#stopped || this.#nextMs === undefined) return;
    const delayMs = this.#nextMs - this.#nowMs();
    this.#cancelTimer = this.#services.clock.after(Math.min(Math.max(0, delayMs), TIMER_MS_MAX), () => this.#wake());
  }

  #wake(): void {
    if (this.#nextMs !== undefined && this.#nextMs > this.#nowMs()) {
      this.#arm();
      return;
    }
    this.#run = this.#fire().finally(() => {
      this.#run = undefined;
      this.#arm();
    });
  }

  async #fire(): Promise<void> {
    const nominal = this.#nextMs;
    if (nominal === undefined) return;
    const goOn = await runWithPolicy(this.#services, this.#context, {
      kind: "schedule",
      callTimeSeconds: BigInt(Math.floor(nominal / 1000)),
    });
    if (!goOn) this.#stopped = true;
    this.#nextMs = this.#skipMissed(this.#nextAfter(nominal, false));
  }

  #skipMissed(next: number | undefined): number | undefined {
    const { specification, statistics, definition } = this.#context;
    if (next === undefined || specification.kind !== "every") return next;
    const periodMs = Number(specification.periodNs) / 1e6;
    const missed = Math.floor((this.#nowMs() - next) / periodMs);
    if (missed <= MISSED_TICKS_MAX) return next;
    const skipped = missed - MISSED_TICKS_MAX;
    statistics.ticksSkipped += skipped;
    this.#services.logs.add(definition.name, "WARN", `the schedule fell behind: ${skipped} missed runs were skipped`);
    return next + skipped * periodMs;
  }
}
