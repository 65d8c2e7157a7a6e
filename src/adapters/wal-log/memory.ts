/** A WAL that ends with the process: for `--object-store memory` and for tests. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { WalLog } from "../../ports/wal-log.ts";

export function createMemoryWalLog(files: Map<number, Uint8Array> = new Map()): WalLog {
  return {
    list: async () => [...files.keys()].sort((a, b) => a - b),
    async read(file) {
      const bytes = files.get(file);
      if (bytes === undefined) throw new DatabaseError("object_store.not_found", { message: `There is no WAL file ${file}` });
      return bytes;
    },
    async truncate(file, size) {
      files.set(file, (files.get(file) ?? new Uint8Array()).slice(0, size));
    },
    async append(file, pieces) {
      const before = files.get(file) ?? new Uint8Array();
      const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, before.length));
      joined.set(before);
      let at = before.length;
      for (const piece of pieces) {
        joined.set(piece, at);
        at += piece.length;
      }
      files.set(file, joined);
    },
    async delete(file) {
      files.delete(file);
    },
    close: async () => undefined,
  };
}

/** For a store without durability nothing needs to be kept: replay has nothing to read. */
export function createVolatileWalLog(): WalLog {
  const log = createMemoryWalLog();
  return { ...log, append: async () => undefined };
}
