/** The Parquet files of a node by table, as its manifests tell. */
import type { PersistedFile, WalCover } from "../../core/snapshot/manifest.ts";

/** One change of the files: what a manifest says, or a checkpoint. */
export interface FilesChange extends WalCover {
  readonly added: readonly PersistedFile[];
  readonly removed: readonly string[];
}

export class PersistedFiles {
  readonly #byPath = new Map<string, PersistedFile>();
  readonly #byTable = new Map<number, readonly PersistedFile[]>();
  #sequence = 0;
  #walFile = 0;
  #bytes = 0;
  #rowCount = 0;

  /** WAL sequences up to it are persisted. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Last WAL file that is covered. */
  get walFile(): number {
    return this.#walFile;
  }

  get totals(): { readonly count: number; readonly bytes: number; readonly rows: number } {
    return { count: this.#byPath.size, bytes: this.#bytes, rows: this.#rowCount };
  }

  /**
   * Older before newer wherever two of them may hold the same point. The list never changes: a later manifest makes a
   * new one.
   */
  ofTable(tableId: number): readonly PersistedFile[] {
    return this.#byTable.get(tableId) ?? [];
  }

  tables(): Iterable<readonly [tableId: number, files: readonly PersistedFile[]]> {
    return this.#byTable;
  }

  has(path: string): boolean {
    return this.#byPath.has(path);
  }

  all(): readonly PersistedFile[] {
    return [...this.#byPath.values()];
  }

  apply({ added, removed, sequenceMax, walFile }: FilesChange): void {
    const changed = new Set<number>();
    for (const path of removed) {
      const file = this.#byPath.get(path);
      if (file === undefined) continue;
      this.#byPath.delete(path);
      this.#count(file, -1);
      changed.add(file.tableId);
    }
    const gone = new Set(removed);
    for (const tableId of changed) this.#setTable(tableId, this.ofTable(tableId).filter(({ path }) => !gone.has(path)));
    const byTable = new Map<number, PersistedFile[]>();
    for (const file of added) {
      this.#byPath.set(file.path, file);
      this.#count(file, 1);
      const list = byTable.get(file.tableId);
      if (list === undefined) byTable.set(file.tableId, [file]);
      else list.push(file);
    }
    for (const [tableId, list] of byTable) this.#setTable(tableId, [...this.ofTable(tableId), ...list].sort(bySequence));
    this.#sequence = Math.max(this.#sequence, sequenceMax);
    this.#walFile = Math.max(this.#walFile, walFile);
  }

  #setTable(tableId: number, files: readonly PersistedFile[]): void {
    if (files.length === 0) this.#byTable.delete(tableId);
    else this.#byTable.set(tableId, files);
  }

  #count({ sizeBytes, rowCount }: PersistedFile, sign: 1 | -1): void {
    this.#bytes += sign * sizeBytes;
    this.#rowCount += sign * rowCount;
  }
}

/** Where two files overlap in time their ranges are disjoint, so the starts tell which is older. */
const bySequence = (left: PersistedFile, right: PersistedFile): number =>
  left.sequenceMin - right.sequenceMin || (left.chunkTime < right.chunkTime ? -1 : left.chunkTime > right.chunkTime ? 1 : 0);
