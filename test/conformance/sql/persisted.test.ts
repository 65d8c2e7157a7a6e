// Goal: a table answers the same whether its rows lie in memory, in Parquet files or in both: newest non-null value of each
// column, every type, NULLs, names that differ by case. Method: random writes with snapshots at random places, against a
// server that never makes one; and the engine opens no other file.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createFileObjectStore } from "../../../src/adapters/object-store/file.ts";
import { DuckdbEngine } from "../../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { createSystemClock } from "../../../src/adapters/system/clock.ts";
import { formatResult } from "../../../src/core/query/format-result.ts";
import { QueryService } from "../../../src/engine/query-service.ts";
import type { StorageLimits } from "../../../src/engine/storage-limits.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { newDisk, openStorage, request, type Opened } from "../../support/open-storage.ts";

const folder = mkdtempSync(join(tmpdir(), "persisted-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let names = 0;

interface Server extends Opened {
  readonly queries: QueryService;
  readonly engine: DuckdbEngine;
  readonly storeFolder: string;
}

async function openServer(withSnapshots: boolean, limits: Partial<StorageLimits> = {}): Promise<Server> {
  const storeFolder = join(folder, `it's ${names++}`);
  const parquetStore = createFileObjectStore({ folder: storeFolder, randomName: () => `x${names++}` });
  const opened = await openStorage(newDisk(), withSnapshots ? { parquetStore, limits } : {});
  const clock = createSystemClock();
  const engine = await DuckdbEngine.open({ clock, parquet: { storeFolder, allowedFolder: `${storeFolder}/n0/dbs/` } });
  const queries = new QueryService({ catalog: opened.catalog, source: opened.storage, engine, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 20_000 } });
  return { ...opened, queries, engine, storeFolder };
}

async function ask({ queries }: Server, sql: string): Promise<string> {
  const stream = await queries.query({ database: "db", sql });
  let text = "";
  for await (const piece of formatResult(stream, "jsonl")) text += piece;
  return text;
}

const MINUTE = 60_000_000_000n;
const START = 1_767_225_600_000_000_000n;
const line = fc.record({
  tags: fc.constantFrom("", ",host=a", ",host=b", ",Host=a", ",host=a,room=r\\ 1", ",room=r\\ 1,host=a"),
  fields: fc.uniqueArray(fc.constantFrom("f=1.5", "f=-0.25", "i=7i", "i=-9223372036854775808i", "u=18446744073709551615u", "b=true", 's="é"', 's="a text that is long enough"'), { minLength: 1, maxLength: 3, selector: (field) => field[0] }),
  time: fc.constantFrom(START, START + 1n, START + 9n * MINUTE, START + 11n * MINUTE, START + 30n * MINUTE, START - 6_000n * MINUTE, -1n, -(2n ** 62n), 2n ** 62n),
}).map(({ tags, fields, time }) => `t${tags} ${fields.join(",")} ${time}`);
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.array(line, { minLength: 1, maxLength: 6 }) }, { weight: 2, arbitrary: fc.constant("snapshot" as const) }, { weight: 1, arbitrary: fc.constant("merge" as const) }), { minLength: 2, maxLength: 9 });

const QUERIES = [
  'SELECT * FROM t ORDER BY host, "Host", room, time',
  "SELECT count(*) AS n, count(f) AS f, max(i) AS i, min(time) AS first FROM t",
  `SELECT host, time, s FROM t WHERE time >= '2026-01-01T00:05:00Z' AND time < '2026-01-01T00:30:00Z' ORDER BY host, time, s, "Host", room`,
  "SELECT a.host, count(*) AS n FROM t a JOIN t b ON a.time = b.time GROUP BY a.host ORDER BY a.host",
];

describe("a table in memory and in files", () => {
  it("answers as if it were in one place", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const [plain, mixed] = [await openServer(false), await openServer(true)];
        for (const step of [["t f=0 1"], ...all]) {
          if (step === "snapshot") await mixed.storage.snapshotNow();
          else if (step === "merge") await mixed.storage.mergeNow();
          else for (const server of [plain, mixed]) await server.storage.write(request(step.join("\n"))).catch(() => undefined);
        }
        // Every column is there, whatever was drawn.
        for (const server of [plain, mixed]) await server.storage.write(request('t,host=z,Host=z,room=z f=1,i=1i,u=1u,b=true,s="z" 5'));
        for (const sql of QUERIES) expect(await ask(mixed, sql), sql).toBe(await ask(plain, sql));
        expect(mixed.lines.filter((said) => said.startsWith("warn"))).toEqual([]);
        for (const server of [plain, mixed]) await server.engine.close();
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  it("the newest column wins over files and memory, and time prunes what is read", async () => {
    const server = await openServer(true);
    for (const text of ["t,h=a x=1,y=1 10\nt,h=a x=1 660000000000", "t,h=a x=2 10", "t,h=a z=3 10"]) {
      await server.storage.write(request(text));
      await server.storage.snapshotNow();
    }
    await server.storage.write(request("t,h=a y=4 10"));
    expect(server.storage.statistics().persistedFiles).toBe(4);
    expect(await ask(server, "SELECT x, y, z FROM t WHERE time < '1970-01-01T00:05:00Z'")).toBe('{"x":2.0,"y":4.0,"z":3.0}\n');
    expect(await ask(server, "SELECT x FROM t WHERE time > '1970-01-01T00:10:00Z'")).toBe('{"x":1.0}\n');
    await server.engine.close();
  });

  it("shows a running query what it saw first, while snapshots let go of the rows and others take their memory", async () => {
    const server = await openServer(true, { ringBytes: 4_194_304, bufferBytes: 67_108_864 });
    const rows = 30_000;
    const bodies = 20;
    // As many bytes each time, so that the memory fits.
    const write = async (round: number): Promise<void> => {
      for (let body = 0; body < bodies; body++) {
        const lines = Array.from({ length: rows }, (_, row) => `t,host=h${row % 100} v=${round * 100_000 + row}i ${START + BigInt(body * rows + row)}`);
        await server.storage.write(request(lines.join("\n")));
      }
    };
    await write(1);
    const sum = (round: number): bigint => BigInt(bodies) * (BigInt(rows) * BigInt(round * 100_000) + (BigInt(rows) * BigInt(rows - 1)) / 2n);
    const read = async (stream: Awaited<ReturnType<QueryService["query"]>>): Promise<bigint> => {
      let total = 0n;
      for await (const { columns } of stream.batches) for (const value of columns[0] as readonly bigint[]) total += value;
      return total;
    };
    const early = await server.queries.query({ database: "db", sql: "SELECT v FROM t" });
    for (const round of [2, 3]) {
      await server.storage.snapshotNow();
      await write(round);
    }
    expect(await read(early)).toBe(sum(1));
    expect(await read(await server.queries.query({ database: "db", sql: "SELECT v FROM t" }))).toBe(sum(3));
    await server.engine.close();
  });

  it("opens no file that is not the node's Parquet: not beside it, not by any text of a user's", async () => {
    const server = await openServer(true);
    await server.storage.write(request("t,h=a x=1 10"));
    await server.storage.snapshotNow();
    const outside = join(server.storeFolder, "n0", "secret.parquet");
    writeFileSync(outside, "PAR1");
    for (const sql of [`SELECT * FROM read_parquet('${outside.replaceAll("'", "''")}')`, `SELECT * FROM '${outside.replaceAll("'", "''")}'`, "SELECT * FROM relation_1", "SELECT * FROM tidemark_scan(1)"]) {
      await expect(ask(server, sql), sql).rejects.toMatchObject({ code: expect.stringMatching(/^query\./) });
    }
    const relation = { id: 1, columns: [{ name: "x", type: "float64" as const, fieldId: 1 }], batches: [], persisted: { files: [{ path: "n0/secret.parquet", sizeBytes: 4, contested: false }], rowCount: 1, windows: [], memoryContested: false } };
    const forged = server.engine.execute({ sql: "SELECT c0 FROM relation_1", types: [{ kind: "float64" }], relations: [relation], timeoutMs: 5_000 });
    await expect(forged).rejects.toMatchObject({ cause: expect.objectContaining({ message: expect.stringContaining("Permission Error") }) });
    await server.engine.close();
  });
});

describe("retention in queries", () => {
  it("shows a row of exactly the period's age and none that is older, in memory, in a file that straddles the limit, and merged", async () => {
    const storeFolder = join(folder, `retention ${names++}`);
    const clock = new VirtualClock(START);
    const opened = await openStorage(newDisk(), { clock, parquetStore: createFileObjectStore({ folder: storeFolder, randomName: () => `x${names++}` }) });
    const engine = await DuckdbEngine.open({ clock: createSystemClock(), parquet: { storeFolder, allowedFolder: `${storeFolder}/n0/dbs/` } });
    const queries = new QueryService({ catalog: opened.catalog, source: opened.storage, engine, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 20_000 } });
    const values = async (table: string): Promise<string> => ask({ ...opened, queries, engine, storeFolder }, `SELECT v FROM ${table} ORDER BY v`);
    const shown = (...all: number[]): string => all.map((v) => `{"v":${v}.0}\n`).join("");
    await opened.catalog.createDatabase("db", { retentionNs: 60n * MINUTE });
    const lines = [60n * MINUTE + 1n, 60n * MINUTE, 60n * MINUTE - 1n].map((age, index) => `v=${index} ${START - age}`);
    await opened.storage.write(request(lines.flatMap((line) => [`t ${line}`, `own ${line}`, `T ${line}`]).join("\n")));
    await opened.catalog.setTableRetention("db", "own", 60n * MINUTE - 1n);
    const check = async (): Promise<void> => {
      expect([await values("t"), await values("own"), await values('"T"')]).toEqual([shown(1, 2), shown(2), shown(1, 2)]);
    };
    await check();
    await opened.storage.snapshotNow();
    await check();
    await opened.storage.write(request(`t v=0 ${START - 60n * MINUTE - 1n}\nt v=2 ${START - 60n * MINUTE + 1n}`));
    await check();
    await opened.storage.snapshotNow();
    expect(await opened.storage.mergeNow()).toBeGreaterThan(0);
    await check();
    // Names that differ only by case are tables of their own.
    await opened.storage.write(request(`T v=9 ${START}`));
    expect([await values("t"), await values('"T"')]).toEqual([shown(1, 2), shown(1, 2, 9)]);
    await clock.jump(1);
    expect(await values("t")).toBe("");
    await opened.catalog.setRetention("db", undefined);
    expect(await values("t")).toBe(shown(0, 1, 2));
    await engine.close();
  });
});
