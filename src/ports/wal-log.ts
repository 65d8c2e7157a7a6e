/**
 * The durable log of one node: a sequence of files of framed records. A local file is not an object PUT, hence a port
 * of its own (design §6). Frames are opaque here; `core/wal` encodes and checks them.
 */
export interface WalLog {
  /** File sequence numbers present, ascending. */
  list(): Promise<readonly number[]>;
  /** Throws `object_store.not_found` when there is no such file. */
  read(file: number): Promise<Uint8Array>;
  /** Cuts a file to its first `size` bytes (a torn tail) and makes that durable. */
  truncate(file: number, size: number): Promise<void>;
  /**
   * Appends the pieces in order to `file` (created when absent) and resolves once they are on disk (fdatasync). The
   * pieces must not change before that. One call at a time. Throws `wal.write_failed`; the file's end is then unknown.
   */
  append(file: number, pieces: readonly Uint8Array[]): Promise<void>;
  /** Absent is fine. */
  delete(file: number): Promise<void>;
  close(): Promise<void>;
}
