/** Makes Parquet objects readable for an engine that opens local files only. */
export interface ParquetFiles {
  /**
   * Resolves once all of them lie in the engine's folder; they stay there until the returned function is called. Throws
   * `query.files_too_large`, `query.cancelled` when the signal aborts, `object_store.unavailable`.
   */
  acquire(files: readonly NeededFile[], signal: AbortSignal): Promise<() => void>;
}

export interface NeededFile {
  /** Object path. */
  readonly path: string;
  readonly sizeBytes: number;
}
