// Goal: storage behaves like a plain list of requests, whatever the order of writes, commits, snapshots, merges, failures and
// crashes: what was acknowledged is there once and in order, what was not is whole or absent, and all accounts close. Method: random commands against storage on a WAL that tears its last write at a random byte
// when it crashes, and an object store that stands still after a random number of calls.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryObjectStore } from "../../src/adapters/object-store/memory.ts";
import { createMemoryWalLog } from "../../src/adapters/wal-log/memory.ts";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import { readParquetColumn } from "../../src/core/parquet/read-column.ts";
import { readParquetLayout } from "../../src/core/parquet/read-footer.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { WalLog } from "../../src/ports/wal-log.ts";
import { newDisk, openStorage, request, tableRows, type Disk, type Opened } from "../support/open-storage.ts";

type Command =
  | { readonly kind: "write"; readonly requests: readonly { readonly tables: readonly string[]; readonly rows: number; readonly noSync: boolean }[] }
  /** The next append writes a share of its bytes; `stuck`: it cannot be cut back either. */
  | { readonly kind: "disk-fails"; readonly share: number; readonly stuck: boolean }
  /** The process dies while these requests are under way: a share of the append's bytes is on disk. */
  | { readonly kind: "crash"; readonly share: number; readonly tables: readonly string[] }
  /** Rows move to Parquet, files are merged. */
  | { readonly kind: "snapshot" | "merge" }
  /** The process dies while one of these is under way: after so many calls to the store, the last with its effect or without. */
  | { readonly kind: "crash-in"; readonly work: "snapshot" | "merge"; readonly calls: number; readonly lastTakesEffect: boolean }
  | { readonly kind: "close" };

const tables = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), requests: fc.array(fc.record({ tables, rows: fc.integer({ min: 1, max: 30 }), noSync: fc.boolean() }), { minLength: 1, maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disk-fails" as const), share, stuck: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash" as const), share, tables }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("snapshot" as const, "snapshot" as const, "merge" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash-in" as const), work: fc.constantFrom("snapshot" as const, "merge" as const), calls: fc.nat(8), lastTakesEffect: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "close" as const }) },
);

interface Faults {
  fail: { readonly share: number; readonly stuck: boolean } | undefined;
  hang: number | undefined;
  stuck: boolean;
  /** Calls to the store until it stands still. */
  storeCalls: number;
  lastTakesEffect: boolean;
}

const healthy = (): Faults => ({ fail: undefined, hang: undefined, stuck: false, storeCalls: Number.POSITIVE_INFINITY, lastTakesEffect: false });

function hangingStore(disk: Disk, faults: Faults): ObjectStore {
  const inner = createMemoryObjectStore(disk.objects);
  const run = async <T>(effect: () => Promise<T>): Promise<T> => {
    if (faults.storeCalls <= 0) return new Promise<T>(() => undefined);
    faults.storeCalls--;
    const stands = faults.storeCalls === 0;
    if (!stands || faults.lastTakesEffect) {
      const result = await effect();
      if (!stands) return result;
    }
    return new Promise<T>(() => undefined);
  };
  return { get: (path) => run(() => inner.get(path)), put: (path, bytes, options) => run(() => inner.put(path, bytes, options)), list: (prefix) => run(() => inner.list(prefix)), delete: (path) => run(() => inner.delete(path)) };
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));

function faultyLog(disk: Disk, faults: Faults): WalLog {
  const inner = createMemoryWalLog(disk.files);
  const broken = (): DatabaseError => new DatabaseError("wal.write_failed", { message: "No space left on device" });
  return {
    ...inner,
    async append(file, pieces) {
      const { fail, hang } = faults;
      const part = (of: number): Uint8Array[] => [joined(pieces).subarray(0, Math.floor(joined(pieces).length * of))];
      if (hang !== undefined) {
        await inner.append(file, part(hang));
        return new Promise(() => undefined);
      }
      if (fail === undefined) return inner.append(file, pieces);
      faults.fail = undefined;
      faults.stuck = fail.stuck;
      await inner.append(file, part(fail.share));
      throw broken();
    },
    truncate: (file, size) => (faults.stuck ? Promise.reject(broken()) : inner.truncate(file, size)),
    delete: (file) => (faults.stuck ? Promise.reject(broken()) : inner.delete(file)),
  };
}

/** One request: the same rows in each of its tables. */
interface Sent {
  readonly id: number;
  readonly tables: readonly string[];
  readonly rows: number;
  outcome: "stored" | "failed" | "unknown";
}

class Run {
  readonly disk = newDisk();
  readonly sent: Sent[] = [];
  faults: Faults = healthy();
  private readonly walFileBytes: number;

  constructor(walFileBytes: number) {
    this.walFileBytes = walFileBytes;
  }

  async open(): Promise<Opened> {
    this.faults = healthy();
    const store = hangingStore(this.disk, this.faults);
    const opened = await openStorage(this.disk, { wal: faultyLog(this.disk, this.faults), store, parquetStore: store, limits: { walFileBytes: this.walFileBytes, groupBytes: 1_500 }, persistence: { manifestsPerCheckpoint: 3 } });
    // What a crash left is gone before anything else happens.
    await opened.storage.cleaned();
    return opened;
  }

  async write(opened: Opened, what: { tables: readonly string[]; rows: number; noSync: boolean }): Promise<void> {
    const entry: Sent = { id: this.sent.length, tables: what.tables, rows: what.rows, outcome: "unknown" };
    this.sent.push(entry);
    const lines = what.tables.flatMap((table) => Array.from({ length: what.rows }, (_, row) => `${table},t=${row % 3} id=${entry.id}i,s="x${row}" ${entry.id * 100 + row}`));
    const stored = await opened.storage.write(request(lines.join("\n"), { noSync: what.noSync })).then(() => true, (error: unknown) => (expect(error).toBeInstanceOf(DatabaseError), false));
    // A write without sync promises nothing.
    if (!what.noSync) entry.outcome = stored ? "stored" : "failed";
  }

  /** Compares with the plain list; what is there of the requests without a promise is learnt, so that it stays so. */
  check(opened: Opened, afterCrash: boolean): void {
    const ids = (table: string): number[] => [...storedIds(opened, this.disk, table), ...tableRows(opened, table).map((row) => Number(row["id"]))];
    const found = new Map(["a", "b", "c"].map((table) => [table, ids(table)]));
    for (const entry of this.sent) {
      const counts = entry.tables.map((table) => (found.get(table) ?? []).filter((id) => id === entry.id).length);
      const whole = counts.every((count) => count === entry.rows);
      expect(whole || counts.every((count) => count === 0), `request ${entry.id} is half there: ${counts.join()}`).toBe(true);
      if (entry.outcome === "stored") expect(whole, `request ${entry.id} was acknowledged`).toBe(true);
      if (entry.outcome === "failed" && !afterCrash) expect(whole, `request ${entry.id} failed`).toBe(false);
      if (afterCrash) entry.outcome = whole ? "stored" : "failed";
    }
    const statistics = opened.storage.statistics();
    expect(statistics).toMatchObject({ ringUsedBytes: 0, writersWaiting: 0 });
    expect(statistics.rows + statistics.persistedRows).toBe([...found.values()].reduce((sum, list) => sum + list.length, 0));
  }
}

/** Of the rows in Parquet files; their counts are those of the manifests. */
function storedIds({ storage, catalog }: Opened, disk: Disk, table: string): number[] {
  const database = catalog.state.databases.get("db");
  const definition = database?.tables.get(table);
  if (database === undefined || definition === undefined) return [];
  const column = definition.columnsByName.get("id") as { readonly id: number; readonly name: string; readonly type: "int64" };
  return (storage.tableSnapshot(database.id, definition.id)?.files ?? []).flatMap(({ path, rowCount }) => {
    const layout = readParquetLayout(disk.objects.get(path) as Uint8Array);
    expect(layout.rowCount).toBe(rowCount);
    const body = readParquetColumn(layout, column)?.body as Uint8Array;
    return [...new BigInt64Array(body.buffer, body.byteOffset, rowCount)].map(Number);
  });
}

/** Files of the store, and those that count. */
function noOrphans({ storage }: Opened, disk: Disk): void {
  const paths = [...disk.objects.keys()].filter((path) => path.startsWith("n0/dbs/"));
  expect(paths.length).toBe(storage.statistics().persistedFiles);
}

const work = (opened: Opened, what: "snapshot" | "merge"): Promise<unknown> =>
  what === "snapshot" ? opened.storage.snapshotNow() : opened.storage.mergeNow();

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function play(commands: readonly Command[], walFileBytes: number): Promise<void> {
  const run = new Run(walFileBytes);
  let opened = await run.open();
  for (const step of commands) {
    if (step.kind === "write") {
      const live = opened;
      await Promise.all(step.requests.map((what) => run.write(live, what)));
      await turns();
      run.check(opened, false);
    } else if (step.kind === "disk-fails") run.faults.fail = step;
    else if (step.kind === "snapshot" || step.kind === "merge") {
      await work(opened, step.kind);
      await turns();
      run.check(opened, false);
    } else {
      if (step.kind === "crash-in") {
        run.faults.storeCalls = step.calls;
        run.faults.lastTakesEffect = step.lastTakesEffect;
        void work(opened, step.work);
        await turns();
      } else if (step.kind === "crash") {
        run.faults.hang = step.share;
        void run.write(opened, { tables: step.tables, rows: 5, noSync: false });
        await turns();
      } else await opened.storage.close();
      opened = await run.open();
      run.check(opened, true);
      noOrphans(opened, run.disk);
      // Once more: the first restart may have cut a tail.
      const head = opened.storage.headSequence;
      const bytes = opened.storage.statistics().bufferUsedBytes;
      opened = await run.open();
      run.check(opened, true);
      expect(opened.storage.headSequence).toBe(head);
      expect(opened.storage.statistics().bufferUsedBytes).toBe(bytes);
    }
  }
  await opened.storage.close();
}

describe("storage as a list of requests", () => {
  it("holds what was acknowledged, once and whole, over any writes, failures and crashes", { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 14 }), fc.constantFrom(2_000, 100_000), play), { numRuns: Number(process.env["MODEL_RUNS"] ?? 60) });
  });
});
