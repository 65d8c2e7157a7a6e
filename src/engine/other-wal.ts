/**
 * A node's WAL lies on its machine or in the object store. When that setting changes, rows in the other place would be
 * left out of the replay; so a start is refused until all of them are in Parquet files.
 */
import { DatabaseError } from "../core/errors/database-error.ts";
import { readWalFile } from "../core/wal/reader.ts";
import type { WalLog } from "../ports/wal-log.ts";

export interface OtherWal {
  readonly log: WalLog;
  /** For messages: where it is, and the setting that uses it. */
  readonly place: string;
  readonly setting: string;
}

/** Deletes what is persisted and closes the log. Throws `server.misconfigured` when something is not persisted. */
export async function leaveBehind(other: OtherWal, persistedSequence: number): Promise<void> {
  try {
    await check(other, persistedSequence);
  } finally {
    await other.log.close();
  }
}

async function check({ log, place, setting }: OtherWal, persistedSequence: number): Promise<void> {
  const files = await log.list();
  for (const file of files) {
    for (const { sequence } of readWalFile(await log.read(file), file)) {
      if (sequence <= persistedSequence) continue;
      throw new DatabaseError("server.misconfigured", {
        message: `The WAL ${place} holds rows that are in no Parquet file yet, and this start would not read them`,
        hint: `start ${setting} and --wal-snapshot-size 1, wait until /metrics shows tidemark_buffer_rows 0, stop the server, then change the setting`,
        details: { file, sequence, persistedSequence },
      });
    }
  }
  for (const file of files) await log.delete(file);
}
