/** The Parquet files of a query: there before it is planned, kept until its last row was read. */
import { DatabaseError } from "../core/errors/database-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ParquetFiles } from "../ports/parquet-files.ts";
import type { EngineRelation, EngineResult } from "../ports/query-engine.ts";

export interface FilesContext {
  readonly files: ParquetFiles | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Returns the way to let them go. Throws what `ParquetFiles.acquire` throws, and `query.time_limit`. */
export async function acquireFiles(relations: readonly EngineRelation[], { files, clock, timeoutMs, signal }: FilesContext): Promise<() => void> {
  const needed = relations.flatMap((relation) => relation.persisted?.files ?? []);
  if (files === undefined || needed.length === 0) return () => undefined;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(new DatabaseError("query.cancelled", { message: "Query was cancelled" }));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const tooLate = (): void =>
    stop.abort(new DatabaseError("query.time_limit", { message: `Fetching the query's Parquet files took longer than ${timeoutMs} ms`, hint: "narrow its time range, or ask again: what was fetched is kept" }));
  const cancel = clock.after(timeoutMs, tooLate);
  try {
    return await files.acquire(needed, stop.signal);
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Lets go of what a query held with its last row, the first failure or the close, whatever comes first. After that there is no row. */
export function releasingAtEnd(result: EngineResult, release: () => void): EngineResult {
  let closed = false;
  async function* batches(): EngineResult["batches"] & AsyncGenerator {
    try {
      for await (const batch of result.batches) {
        if (closed) throw new DatabaseError("query.cancelled", { message: "Query was cancelled" });
        yield batch;
      }
    } finally {
      release();
    }
  }
  return {
    batches: batches(),
    close: async () => {
      closed = true;
      try {
        await result.close();
      } finally {
        release();
      }
    },
  };
}
