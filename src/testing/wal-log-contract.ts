/** What every WAL log must do; an adapter's test runs these cases (port: `src/ports/wal-log.ts`). */
import type { WalLog } from "../ports/wal-log.ts";
import { expectEqual, type ContractCase } from "./object-store-contract.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = async (log: WalLog, file: number): Promise<string> => new TextDecoder().decode(await log.read(file));

/** Larger than any hand-over block of an adapter. */
const LARGE_BYTES = 11_000_003;

export const WAL_LOG_CONTRACT: readonly ContractCase<WalLog>[] = [
  {
    name: "appends pieces in order and lists files by number",
    async check(log) {
      expectEqual(await log.list(), [], "empty");
      await log.append(2, [text("ab"), text(""), text("c")]);
      await log.append(10, [text("x")]);
      await log.append(2, [text("d")]);
      expectEqual(await log.list(), [2, 10], "list");
      expectEqual(await read(log, 2), "abcd", "file 2");
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
    name: "cuts a file and appends after the cut",
    async check(log) {
      await log.append(1, [text("good|torn")]);
      await log.truncate(1, 5);
      expectEqual(await read(log, 1), "good|", "cut");
      await log.append(1, [text("new")]);
      expectEqual(await read(log, 1), "good|new", "appended");
    },
  },
  {
    name: "deletes a file, also the open one, also an absent one",
    async check(log) {
      await log.append(1, [text("a")]);
      await log.delete(1);
      await log.delete(7);
      expectEqual(await log.list(), [], "deleted");
      await log.append(1, [text("b")]);
      expectEqual(await read(log, 1), "b", "made again");
    },
  },
];
