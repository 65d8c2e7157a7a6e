/**
 * Keeps a replay within the buffer: when the replayed rows fill their share, they move to Parquet before the next ones
 * come, as they would in a running server. So a WAL of any length can be replayed in bounded memory.
 */
import type { QueryableBuffer } from "../core/buffer/queryable-buffer.ts";
import type { WalFileEnd } from "./group-commit.ts";
import type { Persistence } from "./snapshots/persistence.ts";
import type { Snapshotter } from "./snapshots/snapshotter.ts";
import { SNAPSHOT_BUFFER_SHARE } from "./storage-limits.ts";

export class ReplayRelief {
  readonly #buffer: QueryableBuffer;
  readonly #persistence: Persistence;
  #snapshotter: Snapshotter | undefined;
  #sequence = 0;
  #files: readonly Pick<WalFileEnd, "file" | "lastSequence">[] = [];

  constructor(buffer: QueryableBuffer, persistence: Persistence) {
    this.#buffer = buffer;
    this.#persistence = persistence;
  }

  /** Replayed up to `sequence`; `files` are the WAL files read to their end. */
  async relieve(sequence: number, files: readonly Pick<WalFileEnd, "file" | "lastSequence">[]): Promise<void> {
    this.#sequence = sequence;
    this.#files = files;
    if (this.#buffer.unpersistedBytes <= this.#buffer.limitBytes * SNAPSHOT_BUFFER_SHARE) return;
    this.#snapshotter ??= this.#makeSnapshotter();
    await this.#snapshotter.snapshotNow();
  }

  async close(): Promise<void> {
    await this.#snapshotter?.close();
  }

  /** WAL files that are covered go once the server runs: until then nothing is known of the triggers that may need them. */
  #makeSnapshotter(): Snapshotter {
    const replayed = (): number => this.#sequence;
    return this.#persistence.snapshotter({
      get durableSequence() {
        return replayed();
      },
      rotate: () => undefined,
      coveredFile: (sequence) => this.#files.findLast(({ lastSequence }) => lastSequence <= sequence)?.file ?? 0,
      discardThrough: () => undefined,
    });
  }
}
