// Goal: what the process itself takes is a measure: the whole less what the parts count, kept as a peak like theirs.
import { describe, expect, it } from "vitest";
import { MEMORY_PARTS, type MemoryDivision, type MemoryPart } from "../../core/memory/divide.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { MemoryLedger } from "./ledger.ts";

const all = <T>(value: T): Record<MemoryPart, T> => Object.fromEntries(MEMORY_PARTS.map((part) => [part, value])) as Record<MemoryPart, T>;

describe("MemoryLedger", () => {
  it("counts as the process's own what no part counts, and nothing below zero", async () => {
    let resident = 500;
    const bytes: Record<MemoryPart, number> = { ...all(0), buffer: 100, kernels: 1_000, plugins: 50 };
    const used = Object.fromEntries(MEMORY_PARTS.map((part) => [part, () => bytes[part]])) as Record<MemoryPart, () => number>;
    const clock = new VirtualClock();
    const ledger = new MemoryLedger({ limitBytes: 2_000, parts: all(10) satisfies MemoryDivision, used, residentBytes: () => resident, clock });
    const rowOf = (part: string): unknown => ledger.rows().find((row) => row.part === part);
    // Kernels are address space: what is resident of them is in the rest.
    expect(rowOf("process")).toEqual({ part: "process", limitBytes: 10, usedBytes: 350, peakBytes: 350 });
    expect(rowOf("total")).toEqual({ part: "total", limitBytes: 2_000, usedBytes: 500, peakBytes: 500 });
    resident = 900;
    await clock.advance(1_000);
    [resident, bytes.buffer] = [300, 400];
    expect(rowOf("process")).toEqual({ part: "process", limitBytes: 10, usedBytes: 0, peakBytes: 750 });
    ledger.close();
    expect(clock.timerCount).toBe(0);
  });
});
