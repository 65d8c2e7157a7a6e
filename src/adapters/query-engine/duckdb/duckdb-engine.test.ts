/** The adapter with real batches: every type through the scan and back, duplicates, stopping, places, lock-down. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ColumnType } from "../../../core/columns/column-type.ts";
import { decodeTableBatch, encodeTableBatch, type ColumnValues, type TableBatchView } from "../../../core/columns/table-batch.ts";
import { isDatabaseError } from "../../../core/errors/database-error.ts";
import type { ResultBatch, ResultValue } from "../../../core/query/query-stream.ts";
import { encodeCells } from "../../../core/query/rows-to-batch.ts";
import { FLOAT64, INT64, UINT64, UTF8, BOOLEAN, type SqlType } from "../../../core/query/types.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EngineQuery, EngineRelation } from "../../../ports/query-engine.ts";
import { DuckdbEngine } from "./duckdb-engine.ts";
import { RelationSource, ScanCursor } from "./scan-relation.ts";
import { TagDictionaries } from "./tag-dictionary.ts";

const clock: Clock = {
  nowNs: () => 0n,
  monotonicMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

let engine: DuckdbEngine;
beforeAll(async () => {
  engine = await DuckdbEngine.open({ clock });
});
afterAll(() => engine.close());

const batch = (rowCount: number, columns: readonly ColumnValues[]): TableBatchView =>
  decodeTableBatch(encodeTableBatch({ databaseId: 1, tableId: 1, rowCount, timeMin: 0n, timeMax: 0n, columns }));

function tag(name: string, cells: readonly (string | null)[]): ColumnValues {
  const values = [...new Set(cells.filter((cell) => cell !== null))];
  const texts = values.map((value) => new TextEncoder().encode(value));
  const offsets = Uint32Array.from([0, ...texts.map((_, index) => texts.slice(0, index + 1).reduce((sum, text) => sum + text.length, 0))]);
  const bytes = Uint8Array.from(texts.flatMap((text) => [...text]));
  return { name, type: "tag", indexes: Uint32Array.from(cells, (cell) => (cell === null ? 0 : values.indexOf(cell))), offsets, bytes, valid: Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)) };
}

let ids = 0;
const relation = (columns: readonly (readonly [string, ColumnType])[], batches: readonly TableBatchView[]): EngineRelation => ({
  id: ++ids, columns: columns.map(([name, type]) => ({ name, type })), batches,
});

async function rows(query: Omit<EngineQuery, "timeoutMs">): Promise<ResultValue[][]> {
  const result = await engine.execute({ timeoutMs: 30_000, ...query });
  const all: ResultValue[][] = [];
  for await (const part of result.batches) for (let row = 0; row < part.rowCount; row++) all.push(part.columns.map((column) => column[row] as ResultValue));
  return all;
}

describe("scan", () => {
  test("every type, NULLs, absent columns, several batches", async () => {
    const long = "x".repeat(5000);
    const first = batch(3, [
      encodeCells("f", "float64", [1.5, null, -0]), encodeCells("i", "int64", [-(1n << 63n), (1n << 63n) - 1n, null]), encodeCells("u", "uint64", [(1n << 64n) - 1n, null, 0n]),
      encodeCells("b", "bool", [true, false, null]), encodeCells("s", "utf8", ["", "twelve bytes", `thirteen byte${long}`]), tag("t", ["a", null, "ünïcode tag value, long"]),
    ]);
    const second = batch(1, [encodeCells("i", "int64", [7n]), encodeCells("s", "utf8", ["ü"]), tag("t", ["b"])]);
    const source = relation([["f", "float64"], ["i", "int64"], ["u", "uint64"], ["b", "bool"], ["s", "utf8"], ["t", "tag"]], [first, second]);
    expect(await rows({ sql: `SELECT c0, c1, c2, c3, c4, CAST(c5 AS VARCHAR), seq FROM tidemark_scan(${source.id})`, types: [FLOAT64, INT64, UINT64, BOOLEAN, UTF8, UTF8, INT64], relations: [source] })).toEqual([
      [1.5, -(1n << 63n), (1n << 64n) - 1n, true, "", "a", 0n],
      [null, (1n << 63n) - 1n, null, false, "twelve bytes", null, 1n],
      [-0, null, 0n, null, `thirteen byte${long}`, "ünïcode tag value, long", 2n],
      [null, 7n, null, null, "ü", "b", 3n],
    ]);
  });

  test("many small batches fill whole vectors; only what is asked for is read", async () => {
    const batches = Array.from({ length: 1000 }, (_, index) => batch(7, [encodeCells("v", "int64", Array.from({ length: 7 }, (_x, row) => BigInt(index * 7 + row))), tag("t", Array.from({ length: 7 }, () => `tag-${index % 300}`))]));
    const source = relation([["t", "tag"], ["v", "int64"]], batches);
    expect(await rows({ sql: `SELECT count(*), CAST(sum(c1) AS BIGINT), count(DISTINCT CAST(c0 AS VARCHAR)) FROM tidemark_scan(${source.id})`, types: [INT64, INT64, INT64], relations: [source] })).toEqual([[7000n, (6999n * 7000n) / 2n, 300n]]);
    expect(await rows({ sql: `SELECT count(*) FROM tidemark_scan(${source.id})`, types: [INT64], relations: [source] })).toEqual([[7000n]]);
  });

  test("a relation without rows", async () => {
    const source = relation([["t", "tag"], ["v", "int64"]], []);
    expect(await rows({ sql: `SELECT c1 FROM tidemark_scan(${source.id}) WHERE CAST(c0 AS VARCHAR) = 'x'`, types: [INT64], relations: [source] })).toEqual([]);
  });

  test("a dictionary that outgrows a byte and two bytes keeps old codes", async () => {
    const columns = [["t", "tag"]] as const;
    const wide = batch(70_000, [tagRange(70_000)]);
    for (const batches of [[batch(1, [tag("t", ["v3"])])], [batch(1, [tag("t", ["v3"])]), wide]]) {
      const source = relation(columns, batches);
      const [[count]] = (await rows({ sql: `SELECT count(*) FROM tidemark_scan(${source.id}) WHERE CAST(c0 AS VARCHAR) = 'v3'`, types: [INT64], relations: [source] })) as [[bigint]];
      expect(count).toBe(BigInt(batches.length));
    }
  });

  test("a column of another width than planned is cast, not misread", async () => {
    expect(await rows({ sql: "SELECT 7::INTEGER AS c0, 1.5::FLOAT AS c1", types: [INT64, FLOAT64], relations: [] })).toEqual([[7n, 1.5]]);
  });
});

function tagRange(count: number): ColumnValues {
  const texts = Array.from({ length: count }, (_, index) => `v${index}`).join("");
  const offsets = new Uint32Array(count + 1);
  for (let index = 0; index < count; index++) offsets[index + 1] = (offsets[index] as number) + `v${index}`.length;
  return { name: "t", type: "tag", indexes: Uint32Array.from({ length: count }, (_, index) => index), offsets, bytes: new TextEncoder().encode(texts) };
}

/** Runs far longer than any test. */
const ENDLESS: Omit<EngineQuery, "timeoutMs"> = { sql: "SELECT CAST(sum(a.range * b.range) AS BIGINT) AS c0 FROM range(10000000) a, range(10000000) b", types: [INT64], relations: [] };

async function failure(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(() => undefined, (thrown: unknown) => thrown);
  return isDatabaseError(error) ? error.code : String(error);
}

const drain = async (query: EngineQuery, from = engine): Promise<ResultBatch[]> => {
  const result = await from.execute(query);
  const all: ResultBatch[] = [];
  for await (const part of result.batches) all.push(part);
  return all;
};

describe("stopping", () => {
  test("timeout", async () => {
    expect(await failure(drain({ ...ENDLESS, timeoutMs: 50 }))).toBe("query.time_limit");
  });

  test("an aborted signal stops a running query, and one that aborted before never starts", async () => {
    const stop = new AbortController();
    const running = failure(drain({ ...ENDLESS, timeoutMs: 30_000, signal: stop.signal }));
    stop.abort();
    expect(await running).toBe("query.cancelled");
    expect(await failure(drain({ ...ENDLESS, timeoutMs: 30_000, signal: stop.signal }))).toBe("query.cancelled");
    expect(engine.statistics()).toMatchObject({ running: 0, waiting: 0 });
  });

  test("closing a result early frees its place, also while rows stream", async () => {
    const query: EngineQuery = { sql: "SELECT range AS c0 FROM range(100000000)", types: [INT64], relations: [], timeoutMs: 30_000 };
    for (let round = 0; round < 5; round++) {
      const result = await engine.execute(query);
      for await (const part of result.batches) {
        expect(part.columns[0]?.[0]).toBe(0n);
        break;
      }
      const unread = await engine.execute(query);
      await unread.close();
      await unread.close();
    }
    expect(engine.statistics()).toMatchObject({ running: 0, waiting: 0 });
  });

  test("a scan of a query that is over reads no memory any more", () => {
    const dictionaries = new TagDictionaries();
    const source = new RelationSource(relation([["i", "int64"], ["t", "tag"]], [batch(3, [encodeCells("i", "int64", [1n, 2n, 3n]), tag("t", ["a", "b", "c"])])]), dictionaries);
    const cursor = new ScanCursor(source, [0, 1], 2048);
    source.close();
    const untouched = (): never => {
      throw new Error("a vector was asked for");
    };
    expect([cursor.next(2048, untouched), new ScanCursor(source, [0, 1], 2048).next(2048, untouched)]).toEqual([0, 0]);
  });

  test("a reader that stops asking loses its place at the timeout and is told when it asks again", async () => {
    const result = await engine.execute({ sql: "SELECT range AS c0 FROM range(100000000)", types: [INT64], relations: [], timeoutMs: 50 });
    const reader = result.batches[Symbol.asyncIterator]();
    expect((await reader.next()).done).toBe(false);
    await expect.poll(() => engine.statistics()).toMatchObject({ running: 0, waiting: 0 });
    expect(await failure(Promise.resolve(reader.next()))).toBe("query.time_limit");
  });

  test("a result of many rows streams without living in memory", async () => {
    let count = 0;
    const result = await engine.execute({ sql: "SELECT range AS c0 FROM range(3000000)", types: [INT64], relations: [], timeoutMs: 30_000 });
    for await (const part of result.batches) count += part.rowCount;
    expect(count).toBe(3_000_000);
  });

  test("the memory limit is an error of its own", async () => {
    const small = await DuckdbEngine.open({ clock, memoryBytes: 32_000_000 });
    expect(await failure(drain({ sql: "SELECT CAST(count(*) AS BIGINT) AS c0 FROM (SELECT DISTINCT hash(range) FROM range(20000000))", types: [INT64], relations: [], timeoutMs: 30_000 }, small))).toBe("query.memory_limit");
    await small.close();
  });

  test("with a folder to spill to, a query that is larger than the memory ends, within the bytes it may write", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spill's "));
    const distinct: EngineQuery = { sql: "SELECT CAST(count(*) AS BIGINT) AS c0 FROM (SELECT DISTINCT hash(range) FROM range(4000000))", types: [INT64], relations: [], timeoutMs: 60_000 };
    const [roomy, tight] = [await DuckdbEngine.open({ clock, memoryBytes: 48_000_000, spill: { folder: join(folder, "a"), bytesMax: 1e9 } }), await DuckdbEngine.open({ clock, memoryBytes: 48_000_000, spill: { folder: join(folder, "b"), bytesMax: 1e6 } })];
    expect((await drain(distinct, roomy))[0]?.columns[0]?.[0]).toBe(4_000_000n);
    expect(await failure(drain(distinct, tight))).toBe("query.memory_limit");
    await roomy.close();
    await tight.close();
    rmSync(folder, { recursive: true });
  });

  test("places: the third query waits, leaves the line when aborted, and close sends the rest away", async () => {
    const own = await DuckdbEngine.open({ clock });
    const first = failure(drain({ ...ENDLESS, timeoutMs: 30_000 }, own));
    const second = failure(drain({ ...ENDLESS, timeoutMs: 30_000 }, own));
    const stop = new AbortController();
    const third = failure(drain({ ...ENDLESS, timeoutMs: 30_000, signal: stop.signal }, own));
    const fourth = failure(drain({ ...ENDLESS, timeoutMs: 30_000 }, own));
    expect(own.statistics()).toMatchObject({ running: 2, waiting: 2 });
    stop.abort();
    expect(await third).toBe("query.cancelled");
    await own.close();
    expect(await Promise.all([first, second, fourth])).toEqual(["query.cancelled", "query.cancelled", "query.cancelled"]);
  });
});

describe("lock-down: even text that got past the front end finds closed doors", () => {
  test.each([
    "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/hostname'", "SELECT * FROM glob('/etc/*')", "COPY (SELECT 1) TO '/tmp/tidemark-evil.csv'",
    "ATTACH '/tmp/tidemark-evil.db'", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true", "SET memory_limit = '8GB'", "RESET memory_limit", "PRAGMA threads=8", "EXPORT DATABASE '/tmp/tidemark-evil'",
  ])("%s", async (sql) => {
    expect(["query.failed", "internal.invariant"]).toContain(await failure(drain({ sql, types: [UTF8 as SqlType], relations: [], timeoutMs: 5_000 })));
  });
});
