/**
 * The durable log of one node: a sequence of files of framed records. A local file is not an object PUT, hence a port
 * of its own (design §6). Frames are opaque here; `core/wal` encodes and checks them.
 */
export interface WalLog {
  /** True: a file is written by one append, so each needs a new file. */
  readonly oneAppendPerFile?: boolean;
  /**
   * Called once, before the log is read: from now on no other process can append. Makes an empty file whose number is at
   * least `fileMin`. Throws `object_store.unavailable`, `node.superseded`. A log that nobody else reaches has no need of it.
   */
  begin?(fileMin: number): Promise<void>;
  /** File sequence numbers present, ascending. */
  list(): Promise<readonly number[]>;
  /** Throws `object_store.not_found` when there is no such file. */
  read(file: number): Promise<Uint8Array>;
  /** Cuts a file to its first `size` bytes (a torn tail) and makes that durable. */
  truncate(file: number, size: number): Promise<void>;
  /**
   * Appends the pieces in order to `file` (created when absent) and resolves once they are on disk (fdatasync). The
   * pieces must not change before that. One call at a time. Throws `wal.write_failed`; the file's end is then unknown.
   * Throws `node.superseded` or `wal.closed` when nothing can be appended any more.
   */
  append(file: number, pieces: readonly Uint8Array[]): Promise<void>;
  /** Absent is fine. */
  delete(file: number): Promise<void>;
  /** Gives up an append that waits for its store: it throws `wal.closed`. */
  abandon?(): void;
  close(): Promise<void>;
}
