// Goal: the encoding thread makes the same files as the ingest thread would, of rows and of files, also both at once; leaves
// rows that it would copy too often; and its end costs one snapshot and no more.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createWorkerEncoder } from "../../../src/adapters/kernels/chunk-encoder.ts";
import type { TableDefinition } from "../../../src/core/catalog/definitions.ts";
import type { ColumnType } from "../../../src/core/columns/column-type.ts";
import { type ChunkRows, splitByChunk } from "../../../src/core/snapshot/chunk-rows.ts";
import { encodeChunk, type EncodedChunk } from "../../../src/core/snapshot/encode-chunk.ts";
import { encodeMerged } from "../../../src/core/snapshot/encode-merged.ts";
import { type ParquetLayout, readParquetLayout } from "../../../src/core/parquet/read-footer.ts";
import { BatchMemory } from "../../../src/core/buffer/batch-memory.ts";
import type { ChunkEncoder } from "../../../src/ports/chunk-encoder.ts";
import { kernelFolder } from "../../support/kernel.ts";
import { PROGRAM_PATH } from "../../support/server.ts";
import { batchOf } from "../sql/harness.ts";

const COLUMNS: Readonly<Record<string, ColumnType>> = { host: "tag", f: "float64", i: "int64", b: "bool", s: "utf8", time: "time" };
const columns = Object.entries(COLUMNS).map(([name, type], id) => ({ id, name, type }));
const TABLE: TableDefinition = { id: 1, databaseId: 1, name: "t", columns, columnsByName: new Map(columns.map((column) => [column.name, column])), seriesKey: ["host"], deleted: false };
const MINUTE = 60_000_000_000n;

const rowAt = (index: number): Record<string, unknown> => ({
  host: `h${index % 7}`, f: index / 3, i: index % 5 === 0 ? undefined : BigInt(index), b: index % 2 === 0, s: `text ${index % 100}`, time: BigInt(index) * 1_000_000n,
});

function run<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Batches of 2,500 rows at most, a millisecond apart. */
const chunksOf = (rows: number): ChunkRows[] =>
  run(splitByChunk(Array.from({ length: Math.ceil(rows / 2500) }, (_, batch) => batchOf(1, COLUMNS, Array.from({ length: Math.min(2500, rows) }, (__, row) => rowAt(batch * 2500 + row)))), MINUTE));

async function* oneByOne(files: readonly ParquetLayout[], failure?: Error): AsyncGenerator<ParquetLayout> {
  yield* files;
  if (failure !== undefined) throw failure;
}

const plain = ({ bytes, ...facts }: EncodedChunk): unknown => [Buffer.from(bytes).toString("base64"), facts];

let encoder: ChunkEncoder;
let memory: BatchMemory;
let lines: string[];
const open = (workerUrl = new URL("encode-worker.js", pathToFileURL(PROGRAM_PATH)), kernels = kernelFolder): void => {
  lines = [];
  memory = new BatchMemory(1e9);
  const log = { log: (level: string, message: string) => void lines.push(`${level}: ${message}`) };
  encoder = createWorkerEncoder({ workerUrl, kernels, log, yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)) });
};
afterEach(() => encoder.close());

describe("the encoding thread", () => {
  it("makes the files that the ingest thread would make", async () => {
    open();
    const chunks = chunksOf(100_000);
    expect(chunks.map((chunk) => chunk.rowCount)).toEqual([60_000, 40_000]);
    for (const chunk of [...chunks, ...chunks]) expect(plain(await (encoder.encode(TABLE, chunk, memory) as Promise<EncodedChunk>))).toEqual(plain(run(encodeChunk(TABLE, chunk))));
    expect(lines).toEqual([]);
    // The copies came back, and the second round used them again.
    expect(memory.keptBytes).toBeGreaterThan(0);
    expect(memory.keptBytes).toBeLessThan(Math.max(...chunks.map(({ pieces }) => pieces.reduce((sum, { batch }) => sum + batch.bytes.length, 0))) * 1.1);
  });

  it("does without its kernel, and says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kernel-"));
    try {
      copyFileSync(new URL("kernels.lock.json", kernelFolder), join(folder, "kernels.lock.json"));
      writeFileSync(join(folder, "parquet.wasm"), "not a module");
      open(undefined, pathToFileURL(`${folder}/`));
      const [chunk] = chunksOf(1000) as [ChunkRows];
      expect(plain(await (encoder.encode(TABLE, chunk, memory) as Promise<EncodedChunk>))).toEqual(plain(run(encodeChunk(TABLE, chunk))));
      expect(lines).toEqual([expect.stringMatching(/^warn: The Parquet kernel cannot be used, so snapshots need about twice the CPU time: it has the hash/)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("merges files as the ingest thread would, while a chunk is encoded", async () => {
    open();
    const chunks = chunksOf(100_000);
    const files = chunks.map((chunk) => readParquetLayout(run(encodeChunk(TABLE, chunk)).bytes));
    const merging = encoder.merge({ table: TABLE, windowStart: 0n, files: oneByOne(files) });
    const [chunk] = chunks as [ChunkRows];
    expect(plain(await (encoder.encode(TABLE, chunk, memory) as Promise<EncodedChunk>))).toEqual(plain(run(encodeChunk(TABLE, chunk))));
    const merged = await merging;
    expect(merged.rowCount).toBe(100_000);
    expect(plain(merged)).toEqual(plain(run(encodeMerged({ table: TABLE, windowStart: 0n, files }))));
    expect(lines).toEqual([]);
  });

  it("says which merge cannot work, and goes on", async () => {
    open();
    const [chunk] = chunksOf(1000) as [ChunkRows];
    const whole = readParquetLayout(run(encodeChunk(TABLE, chunk)).bytes);
    const damaged = { ...whole, bytes: new Uint8Array(whole.bytes.length) };
    await expect(encoder.merge({ table: TABLE, windowStart: 0n, files: oneByOne([whole, damaged]) })).rejects.toMatchObject({ code: "parquet.corrupt" });
    const cause = new Error("the disk is gone");
    await expect(encoder.merge({ table: TABLE, windowStart: 0n, files: oneByOne([whole], cause) })).rejects.toBe(cause);
    expect((await encoder.merge({ table: TABLE, windowStart: 0n, files: oneByOne([whole, whole]) })).rowCount).toBe(1000);
  });

  it("leaves a chunk that holds few rows of large batches", () => {
    open();
    const [chunk] = run(splitByChunk([batchOf(1, COLUMNS, Array.from({ length: 1000 }, (_, row) => ({ ...rowAt(row), time: BigInt(row) * MINUTE })))], MINUTE)) as [ChunkRows];
    expect(chunk.rowCount).toBe(1);
    expect(encoder.encode(TABLE, chunk, memory)).toBeUndefined();
  });

  it("fails the running chunk when it ends, and begins anew with the next", async () => {
    open(new URL("data:text/javascript,process.exit(3)"));
    const [chunk] = chunksOf(1000) as [ChunkRows];
    for (let round = 0; round < 2; round++) await expect(encoder.encode(TABLE, chunk, memory)).rejects.toMatchObject({ code: "snapshot.encoder_failed", message: "Encoding a Parquet file failed: the encoding thread has ended" });
  });
});
