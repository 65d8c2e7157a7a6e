/** How far a trigger is behind the log: rows it wanted and has not seen through, and the age of the oldest of them. */
import type { Clock } from "../../ports/clock.ts";
import { LAG_MARKS_MAX, LAG_MARK_MS } from "./limits.ts";

interface Mark {
  /** Last sequence that counts here. */
  sequence: number;
  rows: number;
  readonly sinceMs: number;
}

export class LagMeter {
  readonly #clock: Clock;
  /** Ascending; records of one moment share a mark, and when there are too many, neighbours do. */
  #marks: Mark[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(sequence: number, rows: number): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#marks.at(-1);
    if (last !== undefined && (last.sequence === sequence || nowMs - last.sinceMs < LAG_MARK_MS)) {
      last.sequence = sequence;
      last.rows += rows;
      return;
    }
    if (this.#marks.length >= LAG_MARKS_MAX) this.#marks = joined(this.#marks);
    this.#marks.push({ sequence, rows, sinceMs: nowMs });
  }

  /** Precise to a mark: rows of a mark count until the position has passed all of it. */
  at(position: number): { readonly rows: number; readonly seconds: number } {
    const first = this.#marks.findIndex(({ sequence }) => sequence > position);
    this.#marks = first < 0 ? [] : this.#marks.slice(first);
    const oldest = this.#marks[0];
    if (oldest === undefined) return { rows: 0, seconds: 0 };
    const rows = this.#marks.reduce((sum, mark) => sum + mark.rows, 0);
    return { rows, seconds: (this.#clock.monotonicMs() - oldest.sinceMs) / 1000 };
  }
}

function joined(marks: readonly Mark[]): Mark[] {
  const pairs: Mark[] = [];
  for (let index = 0; index < marks.length; index += 2) {
    const left = marks[index] as Mark;
    const right = marks[index + 1];
    pairs.push(right === undefined ? left : { sequence: right.sequence, rows: left.rows + right.rows, sinceMs: left.sinceMs });
  }
  return pairs;
}
