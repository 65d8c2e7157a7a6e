// Goal: whatever fails between a reservation and the answer, the ring's space comes back and nobody waits for ever.
import { describe, expect, it } from "vitest";
import { createMemoryWalLog } from "../adapters/wal-log/memory.ts";
import type { TableBatchInput } from "../core/columns/table-batch.ts";
import { recordSize } from "../core/wal/record.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { GroupCommit, type RingRecord } from "./group-commit.ts";
import { DEFAULT_STORAGE_LIMITS } from "./storage-limits.ts";

const batch = (rows: number): TableBatchInput => ({
  databaseId: 1, tableId: 1, rowCount: rows, timeMin: 0n, timeMax: 0n, columns: [{ name: "time", type: "time", values: new BigInt64Array(rows) }],
});

function open(apply: (record: RingRecord, sequence: number) => void = () => undefined): GroupCommit {
  return new GroupCommit({
    wal: createMemoryWalLog(), clock: new VirtualClock(), log: { log: () => undefined }, limits: { ...DEFAULT_STORAGE_LIMITS, ringBytes: 4_096 },
    firstFile: 1, lastSequence: 0, files: [], apply, discard: () => undefined,
  });
}

const record = (rows: number): { databaseId: number; batches: TableBatchInput[]; origin: undefined; reservedBytes: number } => ({ databaseId: 1, batches: [batch(rows)], origin: undefined, reservedBytes: 0 });

describe("GroupCommit", () => {
  it("a record that does not fill its slot gives the space back", async () => {
    const commit = open();
    const slot = await commit.reserve(recordSize([batch(4)]));
    expect(() => commit.submit(slot, record(2))).toThrow("fills the room");
    expect(commit.statistics().ringUsedBytes).toBe(0);
    await commit.submit(await commit.reserve(recordSize([batch(4)])), record(4));
    expect(commit.durableSequence).toBe(1);
  });

  it("a durable record that cannot be taken in fails its write, and the ones after it are refused", async () => {
    const commit = open((_record, sequence) => {
      if (sequence === 2) throw new Error("no memory");
    });
    const size = recordSize([batch(1)]);
    const write = async (): Promise<void> => commit.submit(await commit.reserve(size), record(1));
    await write();
    await expect(write()).rejects.toMatchObject({ code: "wal.write_failed", message: "Rows that are durable cannot be taken into memory: no memory" });
    await expect(write()).rejects.toMatchObject({ code: "wal.write_failed" });
    expect(commit.statistics()).toMatchObject({ ringUsedBytes: 0, writersWaiting: 0 });
    await commit.close();
  });
});
