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
  /** Bytes that each part takes now. */
  readonly used: Readonly<Record<Exclude<MemoryPart, "process">, () => number>>;
  /** Resident memory of the process, as the system counts it. */
  readonly residentBytes: () => number;
  readonly clock: Clock;
}

/** Parts whose bytes are address space, of which less is resident: that counts as the process's own. */
const ADDRESS_SPACE: ReadonlySet<MemoryPart> = new Set(["kernels"]);

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

  /** The parts, then the whole. What the process takes is measured as what is left of the whole: the system counts no parts. */
  rows(): readonly MemoryRow[] {
    const { limitBytes, parts, used, residentBytes } = this.#options;
    const row = (part: MemoryRow["part"], limit: number, usedBytes: number): MemoryRow => {
      const peakBytes = Math.max(this.#peaks.get(part) ?? 0, usedBytes);
      this.#peaks.set(part, peakBytes);
      return { part, limitBytes: limit, usedBytes, peakBytes };
    };
    const total = residentBytes();
    const counted = new Map(MEMORY_PARTS.map((part) => [part, part === "process" ? 0 : Math.ceil(used[part]())]));
    let own = total;
    for (const [part, bytes] of counted) if (!ADDRESS_SPACE.has(part)) own -= bytes;
    counted.set("process", Math.max(0, own));
    return [...MEMORY_PARTS.map((part) => row(part, parts[part], counted.get(part) ?? 0)), row("total", limitBytes, total)];
  }

  close(): void {
    this.#cancel();
  }

  #sample(): void {
    this.rows();
    this.#cancel = this.#options.clock.after(SAMPLE_MS, () => this.#sample());
  }
}
