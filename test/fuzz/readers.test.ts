// Goal: whatever bytes come, from the network or from a damaged disk, the readers give a value or a DatabaseError and
// nothing else, and the kernel reads line protocol as the TypeScript parser does. Method: seeded mutations of good inputs;
// half of the damaged files get true checksums again, so that what lies behind those is reached.
// `npm run test:fuzz -- --inputs N [--seed S]` runs N of them.
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/core/bytes/crc32.ts";
import { decodeCatalogObject, encodeCatalogObject } from "../../src/core/catalog/codec.ts";
import { applyRecord, type CatalogOp } from "../../src/core/catalog/ops.ts";
import { EMPTY_CATALOG } from "../../src/core/catalog/state.ts";
import { encodeTableBatch, type TableBatchView } from "../../src/core/columns/table-batch.ts";
import { isDatabaseError } from "../../src/core/errors/database-error.ts";
import { LineProtocolParser, type ParseOptions } from "../../src/core/line-protocol/parser.ts";
import type { Precision } from "../../src/core/line-protocol/precision.ts";
import { tableBatches } from "../../src/core/line-protocol/table-batches.ts";
import { readWalFile } from "../../src/core/wal/reader.ts";
import { encodeFileHeader, encodeRecord, FILE_HEADER_BYTES, RECORD_HEADER_BYTES, recordSize, sealRecord } from "../../src/core/wal/record.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { cellReader } from "../../src/testing/table-rows.ts";
import { kernelMaker } from "../support/kernel.ts";
import { below, join, mutate, pick, type Random } from "./mutate.ts";

const INPUTS = Number(process.env["FUZZ_INPUTS"] ?? 12_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const MS_PER_INPUT_MAX = 3;
const timeout = 60_000 + INPUTS * MS_PER_INPUT_MAX;

const encoder = new TextEncoder();
const bytesOf = (texts: readonly string[]): Uint8Array[] => texts.map((text) => encoder.encode(text));

/** Runs `one` for a share of the inputs; a failure names the seed of its input. */
function fuzz(share: number, one: (random: Random) => void): void {
  const count = Math.ceil(INPUTS * share);
  for (let index = 0; index < count; index++) {
    const seed = SEED * 1_000_000_007 + index;
    try {
      one(seededRandom(seed));
    } catch (error) {
      throw new Error(`input ${index} with seed ${SEED} (random ${seed}): ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
}

/** The error's code and text when it is one of ours; everything else is thrown on. */
function refusal(error: unknown): string {
  if (!isDatabaseError(error) || error.code === "internal.invariant") throw error;
  return `${error.code}: ${error.message}`;
}

describe("line protocol", async () => {
  const makeKernel = await kernelMaker();
  const LINES = bytesOf([
    "cpu,host=a,region=eu usage=1.5,idle=2i,total=3u,ok=true,note=\"some text\" 1700000000000000000\n",
    "cpu,region=eu,host=a usage=-0.1e-7,idle=-9223372036854775808i,total=18446744073709551615u,ok=F,note=\"a \\\" quote, and = more\"\n",
    "m f=1 0\n", "m f=1\n", "# comment\n", "\n", "we\\ ird\\,name,ta\\=g=va\\ lue fi\\ eld=\"line\nbreak\" 12\n", "日本,é=ü f=0.1,g=t,h=False 1\n",
    "a,b=c d=1e309 9223372036854775807\n", "a,b=c d=4.9406564584124654e-324,d2=1.7976931348623157e308 -1\n", "m f=1,f=2 5\n", "m,t=1,t=2 f=1 5\n", "m time=1 5\n",
  ]);
  const TOKENS = bytesOf([",", "=", " ", "\n", "\r\n", "\"", "\\", "\\\\", "\\\"", "i", "u", "t", "true", "f", "-", ".", "e", "E+", "0", "9".repeat(20), "#", "\t", "\0", "é", "\u{1F600}", "\uFEFF", "time", "1700000000", "\\ ", "\\,", "\\="]);
  const RAW = [Uint8Array.of(0xff), Uint8Array.of(0xc3), Uint8Array.of(0xed, 0xa0, 0x80)];
  const PRECISIONS: readonly Precision[] = ["auto", "second", "millisecond", "microsecond", "nanosecond"];
  const [script, kernel] = [new LineProtocolParser(), new LineProtocolParser(makeKernel())];

  it("gives rows, line errors or a DatabaseError, the same with and without the kernel", { timeout }, () => {
    fuzz(0.5, (random) => {
      const clean = join(...Array.from({ length: 1 + below(random, 5) }, () => pick(random, LINES)));
      const body = mutate(clean, random, random() < 0.9 ? TOKENS : RAW);
      const setting = { precision: pick(random, PRECISIONS), acceptPartial: random() < 0.7 };
      const expected = outcome(script, body, setting);
      const found = outcome(kernel, body, setting);
      if (expected.text !== found.text || Buffer.compare(expected.bytes, found.bytes) !== 0) {
        throw new Error(`${JSON.stringify(new TextDecoder().decode(body))}: the kernel gives ${found.text}, the parser ${expected.text}`);
      }
    });
  });

  interface Outcome {
    /** Tables and errors, or the refusal. */
    readonly text: string;
    /** The rows, encoded: every bit of every value counts. */
    readonly bytes: Uint8Array;
  }

  function outcome(parser: LineProtocolParser, body: Uint8Array, setting: Pick<ParseOptions, "precision" | "acceptPartial">): Outcome {
    try {
      parser.begin(body, { ...setting, nowNs: 1_767_225_600_123_456_789n });
      while (!parser.step());
      const { tables, lineCount, errors } = parser.result();
      const planned = tables.map((parsed, index) => ({ parsed, tableId: index + 1, kept: undefined, keptRows: parsed.rows }));
      const batches = tableBatches({ databaseId: 1, ops: [], tables: planned, errors: [], errorsOmitted: 0 });
      return { text: JSON.stringify([lineCount, tables.map(({ name }) => name), errors]), bytes: join(...batches.map((batch) => encodeTableBatch(batch))) };
    } catch (error) {
      return { text: refusal(error), bytes: new Uint8Array() };
    }
  }
});

describe("WAL files", () => {
  const SALT = 0x1122_3344_5566_7788n;
  const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  const TOKENS = [words(0), words(0xffff_ffff), words(0x7fff_ffff), words(1), words(8), words(0x31424d54), words(0x534f_5054), words(0xffff_fff8, 0xffff_ffff), Uint8Array.of(0, 7), words(67_108_865)];

  function record(sequence: number, placeInGroup: number, random: Random): Uint8Array {
    const rowCount = 1 + below(random, 9);
    const cells = Array.from({ length: rowCount }, (_, row) => row);
    const texts = encoder.encode("abcdefghi".slice(0, rowCount));
    const input = {
      sequence, databaseId: 2, ...(random() < 0.3 ? { position: { triggerId: 3, sequence: 1 } } : {}),
      batches: [{
        databaseId: 2, tableId: 5, rowCount, timeMin: 0n, timeMax: 9n,
        columns: [
          { name: "host", type: "tag" as const, indexes: Uint32Array.from(cells), offsets: Uint32Array.from({ length: rowCount + 1 }, (_, row) => row), bytes: texts },
          { name: "note", type: "utf8" as const, valid: Uint8Array.from(cells, (row) => row & 1), offsets: Uint32Array.from({ length: rowCount + 1 }, (_, row) => row), bytes: texts },
          { name: "ok", type: "bool" as const, values: Uint8Array.from(cells, (row) => row & 1) },
          { name: "f", type: "float64" as const, values: Float64Array.from(cells) },
          { name: "none", type: "null" as const },
          { name: "time", type: "time" as const, values: BigInt64Array.from(cells, BigInt) },
        ],
      }],
    };
    const bytes = new Uint8Array(recordSize(input.batches, input.position));
    encodeRecord(input, bytes);
    sealRecord(bytes, { placeInGroup, salt: SALT });
    return bytes;
  }

  /** Makes the first record's checksum (and mostly its size and salt) true again. */
  function reseal(bytes: Uint8Array, random: Random): void {
    if (bytes.length < FILE_HEADER_BYTES + RECORD_HEADER_BYTES) return;
    bytes.set(encodeFileHeader(1, SALT));
    const view = new DataView(bytes.buffer, bytes.byteOffset + FILE_HEADER_BYTES);
    if (random() < 0.8) view.setUint32(0, Math.floor((view.byteLength - RECORD_HEADER_BYTES) / 8) * 8, true);
    if (random() < 0.9) view.setBigUint64(32, SALT, true);
    const end = FILE_HEADER_BYTES + RECORD_HEADER_BYTES + view.getUint32(0, true);
    if (end <= bytes.length) view.setUint32(4, crc32(bytes, FILE_HEADER_BYTES + 8, end), true);
  }

  function readAll({ columns, rowCount }: TableBatchView): void {
    for (const column of columns) for (let row = 0; row < Math.min(rowCount, 20); row++) cellReader(column, rowCount)(row);
  }

  /** Files of one to three records, with and without group commits of several. */
  const random = seededRandom(SEED);
  const GOOD = Array.from({ length: 100 }, () => join(encodeFileHeader(1, SALT), ...Array.from({ length: 1 + below(random, 3) }, (_, index) => record(index + 1, random() < 0.5 ? 0 : index, random))));

  it("give records and a reason, whatever is in them", { timeout }, () => {
    let records = 0;
    fuzz(0.3, (random) => {
      const bytes = mutate(pick(random, GOOD), random, TOKENS).slice();
      if (random() < 0.6) reseal(bytes, random);
      for (const { batches } of readWalFile(bytes, 1)) {
        records++;
        for (const batch of batches) {
          try {
            readAll(batch);
          } catch (error) {
            refusal(error);
          }
        }
      }
    });
    expect(records).toBeGreaterThan(INPUTS / 20);
  });
});

describe("catalog objects", () => {
  const OPS: readonly CatalogOp[] = [
    { kind: "create-database", id: 1, name: "db" },
    { kind: "create-table", databaseId: 1, id: 1, name: "cpu", columns: [{ id: 0, name: "host", type: "tag" }, { id: 1, name: "time", type: "time" }, { id: 2, name: "f", type: "float64" }] },
    { kind: "add-columns", tableId: 1, columns: [{ id: 3, name: "s", type: "utf8" }] },
  ];
  const state = applyRecord(EMPTY_CATALOG, 1, OPS);
  const common = { uuid: "0123456789abcdef0123456789abcdef", writer: "fedcba9876543210fedcba9876543210", sequence: 1 };
  const GOOD = [encodeCatalogObject({ ...common, content: { kind: "record", ops: OPS } }), encodeCatalogObject({ ...common, content: { kind: "checkpoint", state } })];
  const TOKENS = bytesOf(["null", "[]", "{}", "true", "-1", "1e400", "9007199254740993", "\"\"", "\"tag\"", "\"kind\":", "\"ops\":", "\"__proto__\":", "\"constructor\"", ",", ":", "}", "]", "\\u0000", "\"create-table\"", "\"delete-table\"", "\"time\"", "0.5"]);
  const HEADER_BYTES = 64;

  function reseal(bytes: Uint8Array): void {
    if (bytes.length < HEADER_BYTES) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(48, bytes.length - HEADER_BYTES, true);
    view.setUint32(52, crc32(bytes, HEADER_BYTES), true);
    view.setUint32(60, crc32(bytes, 0, 60), true);
  }

  it("give a state, ops or a DatabaseError", { timeout }, () => {
    let values = 0;
    fuzz(0.2, (random) => {
      const good = pick(random, GOOD);
      const damaged = random() < 0.9 ? join(good.subarray(0, HEADER_BYTES), mutate(good.subarray(HEADER_BYTES), random, TOKENS)) : mutate(good, random, TOKENS).slice();
      if (random() < 0.9) reseal(damaged);
      try {
        decodeCatalogObject(damaged);
        values++;
      } catch (error) {
        refusal(error);
      }
    });
    expect(values).toBeGreaterThan(INPUTS / 100);
  });
});
