/** Durable named objects: catalog records, checkpoints, later Parquet. Paths use `/` and never start with it. */
export interface ObjectStore {
  /** Undefined when there is none. Throws `object_store.unavailable`. */
  get(path: string): Promise<Uint8Array | undefined>;
  /** Durable when it resolves. With `ifAbsent` an existing object is left alone and `object_store.exists` is thrown. */
  put(path: string, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<void>;
  /** Paths that start with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** Absent is fine. */
  delete(path: string): Promise<void>;
}
