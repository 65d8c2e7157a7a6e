/**
 * Columns of Parquet files, decoded, for the direct executor: row group by row group, tags as runs (which rows belong to
 * which value, since files are sorted by series), the rest as in a table batch. Bounded in bytes; the file used longest ago
 * goes first. Objects never change, so nothing has to be renewed.
 */
import { type ColumnType, ENCODED } from "../../core/columns/column-type.ts";
import type { ColumnView } from "../../core/columns/table-batch.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { readParquetColumn } from "../../core/parquet/read-column.ts";
import { type ParquetLayout, readParquetLayout, type StoredColumn } from "../../core/parquet/read-footer.ts";
import { type TagRows, tagRowsBytes, toRuns, type Unit } from "../../core/query/direct/unit.ts";
import type { PersistedFile } from "../../core/snapshot/manifest.ts";
import { COLUMN_CACHE_QUERY_SHARE } from "./direct-limits.ts";

export interface WantedColumn {
  readonly id: number;
  readonly name: string;
  readonly type: ColumnType;
}

/** One row group of a file. */
class RowGroupUnit implements Unit {
  readonly rowCount: number;
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  /** Undefined values: the file lacks the column. */
  readonly columns = new Map<string, ColumnView | TagRows | undefined>();

  constructor(file: PersistedFile, rowCount: number) {
    this.rowCount = rowCount;
    this.timeMin = file.timeMin;
    this.timeMax = file.timeMax;
  }

  column(name: string): ColumnView | undefined {
    const found = this.columns.get(name);
    return found !== undefined && "body" in found ? found : undefined;
  }

  tag(name: string): TagRows | undefined {
    const found = this.columns.get(name);
    return found !== undefined && "dictionary" in found ? found : undefined;
  }
}

interface Entry {
  readonly path: string;
  groups: readonly RowGroupUnit[] | undefined;
  bytes: number;
  /** Loads of one file come one after another. */
  loading: Promise<void>;
}

const COLUMN_OVERHEAD_BYTES = 256;

export class ColumnCache {
  readonly bytesMax: number;
  readonly #read: (path: string) => Promise<Uint8Array | undefined>;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #loads = 0;

  constructor(read: (path: string) => Promise<Uint8Array | undefined>, bytesMax: number) {
    this.#read = read;
    this.bytesMax = bytesMax;
  }

  statistics(): { readonly files: number; readonly bytes: number; readonly bytesMax: number; readonly loads: number } {
    return { files: this.#entries.size, bytes: this.#bytes, bytesMax: this.bytesMax, loads: this.#loads };
  }

  /** Whether one query may have all of this decoded: about what is not there yet. */
  fits(files: readonly PersistedFile[], columns: readonly WantedColumn[]): boolean {
    let bytes = 0;
    for (const { path, rowCount } of files) {
      const known = this.#entries.get(path)?.groups?.[0]?.columns;
      for (const { name, type } of columns) if (known?.has(name) !== true) bytes += rowCount * (type === "tag" ? 1 : type === "utf8" ? 32 : 8);
    }
    return bytes <= this.bytesMax * COLUMN_CACHE_QUERY_SHARE;
  }

  /** Units of the files in their order, with these columns. Undefined: a file is gone, or not as we write it. */
  async load(files: readonly PersistedFile[], columns: readonly WantedColumn[], pause: () => Promise<void>): Promise<readonly Unit[] | undefined> {
    const units: Unit[] = [];
    for (const file of files) {
      const entry = this.#entry(file.path);
      const load = entry.loading.then(() => this.#complete(entry, file, columns, pause));
      entry.loading = load.then(() => undefined, () => undefined);
      if (!(await load)) return undefined;
      units.push(...(entry.groups ?? []));
    }
    return units;
  }

  #entry(path: string): Entry {
    const entry = this.#entries.get(path) ?? { path, groups: undefined, bytes: 0, loading: Promise.resolve() };
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    return entry;
  }

  async #complete(entry: Entry, file: PersistedFile, columns: readonly WantedColumn[], pause: () => Promise<void>): Promise<boolean> {
    const missing = columns.filter(({ name }) => entry.groups?.[0]?.columns.has(name) !== true);
    if (entry.groups !== undefined && missing.length === 0) return true;
    const bytes = await this.#read(file.path);
    if (bytes === undefined) return false;
    this.#loads++;
    const layout = readParquetLayout(bytes);
    const [first] = layout.columns.values();
    if (first === undefined || layout.rowCount !== file.rowCount) throw new DatabaseError("parquet.corrupt", { message: `Parquet file '${file.path}' has other rows than its manifest says` });
    entry.groups ??= first.chunks.map(({ rowCount }) => new RowGroupUnit(file, rowCount));
    for (const column of missing) {
      for (const [index, group] of entry.groups.entries()) {
        const decoded = readGroup(layout, index, group.rowCount, column, this.bytesMax);
        group.columns.set(column.name, decoded);
        this.#grow(entry, COLUMN_OVERHEAD_BYTES + (decoded === undefined ? 0 : "dictionary" in decoded ? tagRowsBytes(decoded) : decoded.body.length + (decoded.validity?.length ?? 0)));
        await pause();
      }
    }
    return true;
  }

  #grow(entry: Entry, bytes: number): void {
    this.#evict(entry, bytes);
    entry.bytes += bytes;
    // What was evicted meanwhile counts no more: it goes with its query.
    if (this.#entries.get(entry.path) === entry) this.#bytes += bytes;
  }

  /** Makes room for `bytes` more of the entry that is in use. */
  #evict(current: Entry, bytes: number): void {
    for (const [path, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.bytesMax) return;
      if (entry === current) continue;
      this.#entries.delete(path);
      this.#bytes -= entry.bytes;
    }
  }
}

function readGroup(layout: ParquetLayout, index: number, rowCount: number, column: WantedColumn, textBytesMax: number): ColumnView | TagRows | undefined {
  const stored = layout.columns.get(column.id);
  const chunk = stored?.chunks[index];
  if (stored === undefined || chunk === undefined) return undefined;
  const own: StoredColumn = { ...stored, chunks: [chunk] };
  const view = readParquetColumn({ bytes: layout.bytes, rowCount, columns: new Map([[column.id, own]]) }, column, textBytesMax);
  return view?.type === ENCODED.tag ? toRuns(view, rowCount) : view;
}
