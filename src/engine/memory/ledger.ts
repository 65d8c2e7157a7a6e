/** What each part of the memory may take, takes, and took at most since the start. */
import { MEMORY_PARTS, type MemoryDivision, type MemoryPart } from "../../core/memory/divide.ts";
import type { Clock } from "../../ports/clock.ts";

export interface MemoryRow {
  readonly part: MemoryPart | "total";
  readonly limitBytes: number;
  readonly usedBytes: number;
  readonly peakBytes: number;
}

export interface MemoryLedgerOptions {
  readonly limitBytes: number;
  readonly parts: MemoryDivision;
  /** Bytes that each part takes now; a part without one only has a limit. */
  readonly used: Readonly<Partial<Record<MemoryPart, () => number>>>;
  /** Resident memory of the process, as the system counts it. */
  readonly residentBytes: () => number;
  readonly clock: Clock;
}

/** How often the peaks are looked at. */
const SAMPLE_MS = 250;

export class MemoryLedger {
  readonly #options: MemoryLedgerOptions;
  readonly #peaks = new Map<MemoryRow["part"], number>();
  #cancel: () => void = () => undefined;

  constructor(options: MemoryLedgerOptions) {
    this.#options = options;
    this.#sample();
  }

  /** The parts, then the whole: what the process takes beside the parts is its own. */
  rows(): readonly MemoryRow[] {
    const { limitBytes, parts, used, residentBytes } = this.#options;
    const row = (part: MemoryRow["part"], limit: number, usedBytes: number): MemoryRow => {
      const peakBytes = Math.max(this.#peaks.get(part) ?? 0, usedBytes);
      this.#peaks.set(part, peakBytes);
      return { part, limitBytes: limit, usedBytes, peakBytes };
    };
    return [...MEMORY_PARTS.map((part) => row(part, parts[part], used[part]?.() ?? 0)), row("total", limitBytes, residentBytes())];
  }

  close(): void {
    this.#cancel();
  }

  #sample(): void {
    this.rows();
    this.#cancel = this.#options.clock.after(SAMPLE_MS, () => this.#sample());
  }
}
