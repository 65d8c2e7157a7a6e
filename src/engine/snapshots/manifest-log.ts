/**
 * The log of manifests made durable: one change after another, each effective only once its manifest is durable, and in
 * one step. A put that failed may have taken effect, so it is repeated before anything else may be written. Every so many
 * manifests a checkpoint replaces them in the background, so that a start reads a bounded number of objects.
 */
import { DatabaseError, isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import {
  checkpointFolder, checkpointNumber, checkpointPath, decodeCheckpoint, decodeManifest, encodeCheckpoint, encodeManifest, type Manifest, manifestFolder, manifestNumber, manifestPath,
} from "../../core/snapshot/manifest.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { Serial } from "../serial.ts";
import { MANIFEST_CHANGES_WAITING_MAX } from "../storage-limits.ts";
import { type FilesChange, PersistedFiles } from "./persisted-files.ts";

/** What a change says; the WAL's part stays as it is unless it is given. */
export type ManifestChange = Pick<FilesChange, "added" | "removed"> & Partial<FilesChange>;

export interface ManifestLogOptions {
  readonly store: ObjectStore;
  readonly nodeId: string;
  readonly log: LogSink;
  /** Manifests after which a checkpoint replaces them. */
  readonly manifestsPerCheckpoint: number;
  /** Runs a generator with pauses for other work. */
  readonly drive: <T>(work: Generator<undefined, T>) => Promise<T>;
  /** Called when another process turns out to write these manifests. */
  readonly onConflict?: (() => void) | undefined;
}

interface Written {
  readonly manifest: Manifest;
  readonly effect: () => void;
}

export class ManifestLog {
  readonly files: PersistedFiles = new PersistedFiles();
  readonly #options: ManifestLogOptions;
  readonly #serial = new Serial(MANIFEST_CHANGES_WAITING_MAX, () => new DatabaseError("catalog.busy", { message: "Too many changes of the Parquet files are waiting", hint: "try again later" }));
  /** Its put failed: perhaps it is durable. */
  #unconfirmed: Written | undefined;
  #number = 0;
  #checkpoint = 0;
  #checkpointing: Promise<void> | undefined;
  /** Manifests and checkpoints that a checkpoint covers and that are to be deleted. */
  #covered: string[] = [];
  #listener: (change: FilesChange) => void = () => undefined;

  private constructor(options: ManifestLogOptions) {
    this.#options = options;
  }

  /** Reads the newest checkpoint and what follows it. Throws `snapshot.corrupt`: a manifest that is damaged or missing would hide rows. */
  static async open(options: ManifestLogOptions): Promise<ManifestLog> {
    const log = new ManifestLog(options);
    await log.#load();
    return log;
  }

  async #load(): Promise<void> {
    const { store, nodeId } = this.#options;
    const checkpoints = await store.list(checkpointFolder(nodeId));
    const newest = checkpoints.find((path) => checkpointNumber(nodeId, path) !== undefined);
    if (newest !== undefined) await this.#loadCheckpoint(newest);
    this.#covered = checkpoints.filter((path) => path !== newest && checkpointNumber(nodeId, path) !== undefined);
    // Newest first in the listing, oldest first here.
    for (const path of [...(await store.list(manifestFolder(nodeId)))].reverse()) {
      const number = manifestNumber(nodeId, path);
      if (number === undefined) continue;
      if (number <= this.#checkpoint) {
        this.#covered.push(path);
        continue;
      }
      const bytes = await store.get(path);
      if (bytes === undefined) throw broken(path, "it disappeared while it was read");
      const manifest = decodeManifest(bytes, path);
      if (number !== this.#number + 1) throw broken(path, `it has the number ${number}, but ${this.#number + 1} must come next`);
      if (manifest.number !== number || manifest.nodeId !== nodeId) throw broken(path, "its content does not match its name");
      this.files.apply(manifest);
      this.#number = number;
    }
  }

  async #loadCheckpoint(path: string): Promise<void> {
    const { store, nodeId } = this.#options;
    const bytes = await store.get(path);
    if (bytes === undefined) throw broken(path, "it disappeared while it was read");
    const checkpoint = decodeCheckpoint(bytes, path);
    if (checkpoint.number !== checkpointNumber(nodeId, path) || checkpoint.nodeId !== nodeId) throw broken(path, "its content does not match its name");
    this.files.apply({ ...checkpoint, added: checkpoint.files, removed: [] });
    this.#number = this.#checkpoint = checkpoint.number;
  }

  /** Number of the manifest that the next change gets, unless another comes first. */
  get nextNumber(): number {
    return this.#number + (this.#unconfirmed === undefined ? 1 : 2);
  }

  /** Objects that a start would read now. */
  get startReads(): number {
    return this.#number - this.#checkpoint + (this.#checkpoint > 0 ? 1 : 0);
  }

  /** Calls `listener` in the step in which a change becomes effective. */
  onChange(listener: (change: FilesChange) => void): void {
    this.#listener = listener;
  }

  /**
   * Makes a change durable, then effective together with `effect`. `plan` runs when it is this change's turn; undefined:
   * there is nothing to do any more. Resolves to whether it was done. When it throws, the change may still come into
   * effect with a later one, so its files must stay.
   */
  append(plan: (files: PersistedFiles) => ManifestChange | undefined, effect: () => void = () => undefined): Promise<boolean> {
    return this.#serial.run(async () => {
      await this.#settle();
      const { nodeId } = this.#options;
      const change = plan(this.files);
      if (change === undefined) return false;
      const { sequence: sequenceMax, walFile } = this.files;
      await this.#write({ manifest: { sequenceMax, walFile, ...change, nodeId, number: this.#number + 1 }, effect });
      return true;
    });
  }

  /** Brings a change of unknown outcome into effect, if there is one. Throws `object_store.unavailable`. */
  settle(): Promise<void> {
    return this.#serial.run(() => this.#settle());
  }

  async #settle(): Promise<void> {
    if (this.#unconfirmed !== undefined) await this.#write(this.#unconfirmed);
  }

  async #write(written: Written): Promise<void> {
    const { store, nodeId } = this.#options;
    const { manifest, effect } = written;
    this.#unconfirmed = written;
    await this.#create(manifestPath(nodeId, manifest.number), encodeManifest(manifest));
    this.#unconfirmed = undefined;
    this.#number = manifest.number;
    // No pause between these: a query sees each row once, here or there.
    this.files.apply(manifest);
    effect();
    this.#listener(manifest);
    if (this.#checkpointing === undefined && this.#number - this.#checkpoint >= this.#options.manifestsPerCheckpoint) this.#checkpointing = this.#writeCheckpoint().finally(() => (this.#checkpointing = undefined));
  }

  /** Never replaces one: a manifest that is there is this one, from an attempt whose answer was lost, or another process's. */
  async #create(path: string, bytes: Uint8Array): Promise<void> {
    const { store, onConflict } = this.#options;
    try {
      await store.put(path, bytes, { ifAbsent: true });
    } catch (error) {
      if (!isDatabaseError(error) || error.code !== "object_store.exists") throw error;
      const found = await store.get(path);
      if (found !== undefined && found.length === bytes.length && found.every((value, index) => value === bytes[index])) return;
      onConflict?.();
      throw new DatabaseError("node.superseded", {
        message: `another process has written ahead of this one: snapshot manifest '${path}' is not ours`,
        hint: "only one server may run with this node id and object store; stop the other one and restart",
        details: { path },
      });
    }
  }

  /** Beside the changes that go on; what it covers is deleted only afterwards. */
  async #writeCheckpoint(): Promise<void> {
    const { store, nodeId, drive, log } = this.#options;
    const [number, before] = [this.#number, this.#checkpoint];
    const { sequence: sequenceMax, walFile } = this.files;
    try {
      const files = this.files.all();
      await store.put(checkpointPath(nodeId, number), await drive(encodeCheckpoint({ nodeId, number, sequenceMax, walFile, files })));
      this.#checkpoint = number;
      for (let covered = before + 1; covered <= number; covered++) this.#covered.push(manifestPath(nodeId, covered));
      if (before > 0) this.#covered.push(checkpointPath(nodeId, before));
      await this.deleteCovered();
    } catch (error) {
      log.log("warn", `A checkpoint of the snapshot manifests failed; it is tried again later: ${messageOf(error)}`);
    }
  }

  /** Deletes what a durable checkpoint covers; what cannot be deleted now is left for the next time. */
  async deleteCovered(): Promise<void> {
    for (let path = this.#covered.at(-1); path !== undefined; path = this.#covered.at(-1)) {
      await this.#options.store.delete(path);
      this.#covered.pop();
    }
  }

  /** Waits for a running checkpoint. */
  async close(): Promise<void> {
    await this.#checkpointing;
  }
}

function broken(path: string, what: string): DatabaseError {
  return new DatabaseError("snapshot.corrupt", {
    message: `Snapshot manifest '${path}' does not fit the others: ${what}`,
    hint: "restore the snapshots folders of this node from a backup",
    details: { path },
  });
}
