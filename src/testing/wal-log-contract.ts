/** What every WAL log must do; an adapter's test runs these cases (port: `src/ports/wal-log.ts`). */
import type { WalLog } from "../ports/wal-log.ts";
import { expectEqual, type ContractCase } from "./object-store-contract.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = async (log: WalLog, file: number): Promise<string> => new TextDecoder().decode(await log.read(file));

/** Larger than any hand-over block of an adapter. */
const LARGE_BYTES = 11_000_003;

/** A log may delete in the background. */
const TURNS_MAX = 10_000;

/** For every log. */
export const WAL_LOG_CONTRACT: readonly ContractCase<WalLog>[] = [
  {
    name: "writes pieces in order and lists files by number",
    async check(log) {
      expectEqual(await log.list(), [], "empty");
      await log.append(2, [text("ab"), text(""), text("c")]);
      await log.append(10, [text("x")]);
      expectEqual(await log.list(), [2, 10], "list");
      expectEqual(await read(log, 2), "abc", "file 2");
      expectEqual(await read(log, 10), "x", "file 10");
    },
  },
  {
    name: "gives bytes whose slice() is a copy",
    async check(log) {
      await log.append(1, [text("abc")]);
      const bytes = await log.read(1);
      const copy = bytes.slice();
      bytes[0] = 0;
      expectEqual(copy[0], 97, "first byte of the copy");
    },
  },
  {
    name: "takes a record larger than one hand-over",
    async check(log) {
      const bytes = new Uint8Array(LARGE_BYTES).map((_, index) => index % 251);
      await log.append(1, [bytes.subarray(0, 5), bytes.subarray(5)]);
      const found = await log.read(1);
      expectEqual(found.length, LARGE_BYTES, "size");
      expectEqual(found.every((value, index) => value === index % 251), true, "content");
    },
  },
  {
    name: "cuts a file",
    async check(log) {
      await log.append(1, [text("good|torn")]);
      await log.truncate(1, 5);
      expectEqual(await read(log, 1), "good|", "cut");
    },
  },
  {
    name: "deletes a file, also an absent one",
    async check(log) {
      for (const file of [1, 2, 3]) await log.append(file, [text("a")]);
      await log.delete(1);
      await log.delete(7);
      for (let turn = 0; turn < TURNS_MAX && (await log.list()).length > 2; turn++) await Promise.resolve();
      expectEqual(await log.list(), [2, 3], "deleted");
    },
  },
];

/** For a log whose files take many appends. */
export const WAL_APPEND_CONTRACT: readonly ContractCase<WalLog>[] = [
  {
    name: "appends to an older file, and after a cut",
    async check(log) {
      await log.append(2, [text("ab")]);
      await log.append(10, [text("x")]);
      await log.append(2, [text("d")]);
      expectEqual(await read(log, 2), "abd", "appended");
      await log.truncate(2, 1);
      await log.append(2, [text("new")]);
      expectEqual(await read(log, 2), "anew", "after the cut");
    },
  },
  {
    name: "makes a deleted file again, also the open one",
    async check(log) {
      await log.append(1, [text("a")]);
      await log.delete(1);
      expectEqual(await log.list(), [], "deleted");
      await log.append(1, [text("b")]);
      expectEqual(await read(log, 1), "b", "made again");
    },
  },
];
