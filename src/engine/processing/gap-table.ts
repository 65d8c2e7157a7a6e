/** The rows of `system.processing_engine_gaps`: what triggers did not get because the log no longer held it. */
import type { Clock } from "../../ports/clock.ts";
import { GAPS_PER_TRIGGER_MAX, GAPS_MAX } from "./limits.ts";

export interface Gap {
  readonly key: string;
  readonly trigger: string;
  readonly database: string;
  /** First and last sequence of the log's records that were skipped. */
  readonly from: number;
  readonly to: number;
  /** Rows in them that the trigger wanted; undefined: they could not be counted. */
  readonly rows: number | undefined;
}

export interface GapRow extends Gap {
  readonly timeNs: bigint;
}

export class GapTable {
  readonly #clock: Clock;
  #rows: GapRow[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when it goes on where the trigger's last gap ended, and became one with it. */
  add(gap: Gap): boolean {
    const last = this.#rows.findLastIndex(({ key }) => key === gap.key);
    const before = this.#rows[last];
    if (before !== undefined && before.to + 1 === gap.from) {
      this.#rows[last] = { ...before, to: gap.to, rows: before.rows === undefined || gap.rows === undefined ? undefined : before.rows + gap.rows };
      return true;
    }
    this.#rows.push({ ...gap, timeNs: this.#clock.nowNs() });
    const own = this.#rows.filter(({ key }) => key === gap.key);
    if (own.length > GAPS_PER_TRIGGER_MAX) this.#rows.splice(this.#rows.indexOf(own[0] as GapRow), 1);
    if (this.#rows.length > GAPS_MAX) this.#rows.shift();
    return false;
  }

  /** Oldest first. */
  rows(): readonly GapRow[] {
    return this.#rows;
  }
}
