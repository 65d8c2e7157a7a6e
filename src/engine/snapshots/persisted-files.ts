/** The Parquet files of a node by table, as its manifests tell; loaded on start, extended by each snapshot. */
import { DatabaseError } from "../../core/errors/database-error.ts";
import { decodeManifest, type Manifest, manifestFolder, manifestSequence, type PersistedFile } from "../../core/snapshot/manifest.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

export class PersistedFiles {
  readonly #byTable = new Map<number, readonly PersistedFile[]>();
  #sequence = 0;
  #walFile = 0;
  #count = 0;
  #bytes = 0;
  #rowCount = 0;

  /** Throws `snapshot.corrupt`: a manifest that is damaged or missing would hide rows. */
  static async load(store: ObjectStore, nodeId: string): Promise<PersistedFiles> {
    const files = new PersistedFiles();
    // Newest first in the listing, oldest first here.
    for (const path of [...(await store.list(manifestFolder(nodeId)))].reverse()) {
      const sequence = manifestSequence(nodeId, path);
      const bytes = sequence === undefined ? undefined : await store.get(path);
      if (bytes === undefined) continue;
      const manifest = decodeManifest(bytes, path);
      if (manifest.sequenceMin !== files.#sequence + 1 || manifest.sequenceMax !== sequence || manifest.nodeId !== nodeId) {
        throw new DatabaseError("snapshot.corrupt", {
          message: `Snapshot manifest '${path}' covers sequences ${manifest.sequenceMin} to ${manifest.sequenceMax}, but ${files.#sequence + 1} must come next`,
          hint: "a manifest is missing: restore the snapshots folder of this node from a backup",
          details: { path },
        });
      }
      files.add(manifest);
    }
    return files;
  }

  /** WAL sequences up to it are persisted. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Last WAL file that is covered. */
  get walFile(): number {
    return this.#walFile;
  }

  get totals(): { readonly count: number; readonly bytes: number; readonly rows: number } {
    return { count: this.#count, bytes: this.#bytes, rows: this.#rowCount };
  }

  /** In WAL order. The list never changes: a later snapshot makes a new one. */
  ofTable(tableId: number): readonly PersistedFile[] {
    return this.#byTable.get(tableId) ?? [];
  }

  add(manifest: Manifest): void {
    for (const file of manifest.files) {
      this.#byTable.set(file.tableId, [...this.ofTable(file.tableId), file]);
      this.#count++;
      this.#bytes += file.sizeBytes;
      this.#rowCount += file.rowCount;
    }
    this.#sequence = manifest.sequenceMax;
    this.#walFile = Math.max(this.#walFile, manifest.walFile);
  }
}
