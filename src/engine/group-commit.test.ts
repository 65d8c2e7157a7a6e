// Goal: whatever fails between a reservation and the answer, the ring's space comes back and nobody waits for ever.
import { describe, expect, it } from "vitest";
import { createMemoryWalLog } from "../adapters/wal-log/memory.ts";
import type { TableBatchInput } from "../core/columns/table-batch.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import { recordSize } from "../core/wal/record.ts";
import type { WalLog } from "../ports/wal-log.ts";
import { flushPromises, VirtualClock } from "../testing/virtual-clock.ts";
import { GroupCommit, type RingRecord } from "./group-commit.ts";
import { DEFAULT_STORAGE_LIMITS } from "./storage-limits.ts";

const batch = (rows: number): TableBatchInput => ({
  databaseId: 1, tableId: 1, rowCount: rows, timeMin: 0n, timeMax: 0n, columns: [{ name: "time", type: "time", values: new BigInt64Array(rows) }],
});

function open(apply: (record: RingRecord, sequence: number) => void = () => undefined): GroupCommit {
  return new GroupCommit({
    wal: createMemoryWalLog(), clock: new VirtualClock(), log: { log: () => undefined }, limits: { ...DEFAULT_STORAGE_LIMITS, ringBytes: 4_096 },
    firstFile: 1, lastSequence: 0, files: [], random16: () => new Uint8Array(16).fill(7), apply, discard: () => undefined,
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

describe("GroupCommit on a log that is far away", () => {
  interface Far {
    readonly commit: GroupCommit;
    readonly clock: VirtualClock;
    /** Answers the oldest append that waits. */
    answer(error?: Error): void;
    /** Records of each append. */
    readonly appends: number[];
    readonly applied: number[];
  }

  function far(limits: Partial<typeof DEFAULT_STORAGE_LIMITS> = {}): Far {
    const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const [appends, applied, clock]: [number[], number[], VirtualClock] = [[], [], new VirtualClock()];
    const inner = createMemoryWalLog();
    const wal: WalLog = {
      ...inner,
      oneAppendPerFile: true,
      append: (file, pieces) => new Promise<void>((resolve, reject) => {
        appends.push(pieces.length - 1);
        waiting.push({ resolve: () => void inner.append(file, pieces).then(resolve), reject });
      }),
      abandon: () => waiting.shift()?.reject(new DatabaseError("wal.closed", { message: "given up" })),
    };
    const commit = new GroupCommit({
      wal, clock, log: { log: () => undefined }, limits: { ...DEFAULT_STORAGE_LIMITS, ringBytes: 65_536, ...limits },
      firstFile: 1, lastSequence: 0, files: [], random16: () => new Uint8Array(16).fill(7), apply: (_record, sequence) => void applied.push(sequence), discard: () => undefined,
    });
    return { commit, clock, appends, applied, answer: (error) => (error === undefined ? waiting.shift()?.resolve() : waiting.shift()?.reject(error)) };
  }

  const write = async ({ commit }: Far, rows = 1): Promise<string> => {
    try {
      await commit.submit(await commit.reserve(recordSize([batch(rows)])), record(rows));
      return "stored";
    } catch (error) {
      return (error as DatabaseError).code;
    }
  };

  it("tells writers after a while that the outcome is not known, lets nobody else in, and takes the rows in when it is", async () => {
    const at = far({ commitWaitMs: 1_000 });
    const first = write(at);
    await flushPromises();
    const second = write(at);
    await at.clock.advance(999);
    expect([at.appends, at.commit.statistics().ringUsedBytes > 0]).toEqual([[1], true]);
    await at.clock.advance(1);
    expect(await Promise.all([first, second, write(at)])).toEqual(["wal.unconfirmed", "wal.unconfirmed", "wal.unconfirmed"]);
    expect(at.applied).toEqual([]);
    at.answer();
    await flushPromises();
    at.answer();
    await flushPromises();
    expect([at.applied, at.commit.durableSequence, at.commit.statistics().ringUsedBytes]).toEqual([[1, 2], 2, 0]);
    const third = write(at);
    await flushPromises();
    at.answer();
    expect(await third).toBe("stored");
    expect(at.commit.files.map(({ file }) => file)).toEqual([1, 2, 3]);
  });

  it("waits for company between two commits, but not after idleness, nor when much waits", async () => {
    const at = far({ commitIntervalMs: 1_000, groupBytes: 2_000 });
    const stored: Promise<string>[] = [write(at)];
    await flushPromises();
    expect(at.appends).toEqual([1]);
    at.answer();
    await flushPromises();
    stored.push(write(at), write(at));
    await at.clock.advance(900);
    stored.push(write(at));
    await at.clock.advance(99);
    expect(at.appends).toEqual([1]);
    await at.clock.advance(1);
    expect(at.appends).toEqual([1, 3]);
    at.answer();
    await flushPromises();
    stored.push(write(at), write(at, 300));
    await flushPromises();
    expect(at.appends.length).toBe(3);
    for (let turn = 0; turn < 3; turn++) {
      at.answer();
      await at.clock.advance(1_000);
    }
    expect(new Set(await Promise.all(stored))).toEqual(new Set(["stored"]));
    await at.clock.advance(10_000);
    const late = write(at);
    await flushPromises();
    at.answer();
    expect(await late).toBe("stored");
  });

  it("stores what waits when the server stops, and gives it up after a bound", async () => {
    const at = far({ commitIntervalMs: 60_000, closeWaitMs: 5_000 });
    const first = write(at);
    await flushPromises();
    at.answer();
    const second = write(at);
    await flushPromises();
    expect(at.appends).toEqual([1]);
    let isClosed = false;
    const closing = at.commit.close().then(() => (isClosed = true));
    await at.clock.advance(4_999);
    expect([at.appends, isClosed]).toEqual([[1, 1], false]);
    await at.clock.advance(1);
    await closing;
    expect(await Promise.all([first, second, write(at)])).toEqual(["stored", "wal.closed", "wal.closed"]);
  });

  it("refuses everything once another process owns the log", async () => {
    const at = far();
    const first = write(at);
    await flushPromises();
    const second = write(at);
    await flushPromises();
    at.answer(new DatabaseError("node.superseded", { message: "taken over" }));
    expect(await Promise.all([first, second])).toEqual(["node.superseded", "node.superseded"]);
    expect([await write(at), at.appends.length, at.applied]).toEqual(["node.superseded", 1, []]);
  });
});
