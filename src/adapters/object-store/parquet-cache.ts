/**
 * Parquet objects as local files, for an engine that opens nothing else (design §8.14). Whole files, fetched before a
 * query is planned and kept while it reads; beyond the limit the file that was used longest ago goes. It is a cache: it is
 * emptied at start, a file appears under its name only once it is complete, and losing it loses nothing.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { NeededFile, ParquetFiles } from "../../ports/parquet-files.ts";
import { DOWNLOADS_MAX } from "./limits.ts";
import { Slots } from "./slots.ts";

export interface ParquetCacheOptions {
  readonly store: ObjectStore;
  /** Emptied, then filled; objects lie below it under their own paths. */
  readonly folder: string;
  readonly bytesMax: number;
}

export interface ParquetCacheStatistics {
  readonly files: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  /** Asked for while another query fetched it. */
  readonly missesWhileFetching: number;
  /** Files that queries read now. */
  readonly pinned: number;
}

interface Entry {
  readonly path: string;
  readonly bytes: number;
  /** Queries that read it, or wait for it. */
  pins: number;
  /** The file is there when it resolves; undefined: it is there. */
  loading: Promise<void> | undefined;
  /** Deleted or replaced in the store: goes with its last reader. */
  doomed: boolean;
}

interface Waiter {
  readonly files: readonly NeededFile[];
  readonly grant: (entries: readonly Entry[]) => void;
}

const PARQUET = ".parquet";

export class ParquetCache implements ParquetFiles {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #bytesMax: number;
  readonly #downloads = new Slots(DOWNLOADS_MAX);
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #line: Waiter[] = [];
  /** Under way: a new file of the same name must come after it. */
  readonly #removals = new Map<string, Promise<void>>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #missesWhileFetching = 0;

  private constructor(options: ParquetCacheOptions) {
    this.#store = options.store;
    this.#folder = options.folder;
    this.#bytesMax = options.bytesMax;
  }

  /** Throws `server.folder_not_writable`. */
  static async open(options: ParquetCacheOptions): Promise<ParquetCache> {
    try {
      await rm(options.folder, { recursive: true, force: true });
      await mkdir(options.folder, { recursive: true });
    } catch (error) {
      throw new DatabaseError("server.folder_not_writable", {
        message: `The cache folder '${options.folder}' cannot be written: ${messageOf(error)}`, hint: "choose another --data-dir, or make this one writable", cause: error,
      });
    }
    return new ParquetCache(options);
  }

  statistics(): ParquetCacheStatistics {
    const pinned = [...this.#entries.values()].filter((entry) => entry.pins > 0).length;
    return { files: this.#entries.size, bytes: this.#bytes, hits: this.#hits, misses: this.#misses, missesWhileFetching: this.#missesWhileFetching, pinned };
  }

  /** The store, with what is put kept here too: new rows are what queries ask for. */
  throughStore(): ObjectStore {
    const store = this.#store;
    return {
      get: (path) => store.get(path),
      list: (prefix) => store.list(prefix),
      put: async (path, bytes, options) => {
        await store.put(path, bytes, options);
        if (path.endsWith(PARQUET)) await this.#keep(path, bytes);
      },
      delete: async (path) => {
        await store.delete(path);
        this.#forget(path);
      },
    };
  }

  async acquire(files: readonly NeededFile[], signal: AbortSignal): Promise<() => void> {
    const distinct = [...new Map(files.map((file) => [file.path, file])).values()];
    const size = distinct.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (size > this.#bytesMax) {
      throw new DatabaseError("query.files_too_large", {
        message: `The query reads ${distinct.length} Parquet files of ${size} bytes, and the local cache holds ${this.#bytesMax}`,
        hint: "narrow its time range, or raise --parquet-cache-size",
        details: { size, sizeMax: this.#bytesMax },
      });
    }
    const entries = await this.#room(distinct, signal);
    const release = once(() => this.#release(entries));
    try {
      await untilAborted(Promise.all(entries.map((entry) => entry.loading)), signal);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Room for all or for none, in order of arrival: two queries never hold half of what each needs. */
  async #room(files: readonly NeededFile[], signal: AbortSignal): Promise<readonly Entry[]> {
    signal.throwIfAborted();
    const now = this.#line.length === 0 ? this.#take(files) : undefined;
    if (now !== undefined) return now;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.splice(this.#line.indexOf(waiter), 1);
        reject(signal.reason as Error);
        this.#advance();
      };
      const waiter: Waiter = {
        files,
        grant: (entries) => {
          signal.removeEventListener("abort", leave);
          resolve(entries);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#line.push(waiter);
    });
  }

  #advance(): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      const entries = this.#take(first.files);
      if (entries === undefined) return;
      this.#line.shift();
      first.grant(entries);
    }
  }

  /** Pins all, and begins to fetch what is missing; undefined: there is no room now. */
  #take(files: readonly NeededFile[]): readonly Entry[] | undefined {
    const missing = files.filter(({ path }) => !this.#entries.has(path));
    const wanted = new Set(files.map(({ path }) => path));
    if (!this.#makeRoom(missing.reduce((sum, file) => sum + file.sizeBytes, 0), wanted)) return undefined;
    return files.map((file) => {
      const known = this.#entries.get(file.path);
      if (known === undefined) this.#misses++;
      else if (known.loading === undefined) this.#hits++;
      else this.#missesWhileFetching++;
      const entry = known ?? this.#add(file, () => this.#download(file));
      entry.pins++;
      // The newest place.
      this.#entries.delete(file.path);
      this.#entries.set(file.path, entry);
      return entry;
    });
  }

  /** Drops what nobody reads until `bytes` more fit. False, and nothing dropped: they cannot. */
  #makeRoom(bytes: number, wanted: ReadonlySet<string>): boolean {
    let free = this.#bytesMax - this.#bytes;
    const drops: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (free >= bytes) break;
      if (entry.pins > 0 || entry.loading !== undefined || wanted.has(entry.path)) continue;
      drops.push(entry);
      free += entry.bytes;
    }
    if (free < bytes) return false;
    for (const entry of drops) this.#drop(entry);
    return true;
  }

  #add({ path, sizeBytes }: NeededFile, load: () => Promise<void>): Entry {
    const entry: Entry = { path, bytes: sizeBytes, pins: 0, loading: undefined, doomed: false };
    this.#entries.set(path, entry);
    this.#bytes += sizeBytes;
    entry.loading = load().then(
      () => {
        entry.loading = undefined;
        if (entry.doomed && entry.pins === 0) this.#drop(entry);
        this.#advance();
      },
      (error: unknown) => {
        this.#drop(entry);
        this.#advance();
        throw error;
      },
    );
    // Whoever waits for it is told; nobody may wait.
    entry.loading.catch(() => undefined);
    return entry;
  }

  #drop(entry: Entry): void {
    if (this.#entries.get(entry.path) === entry) this.#entries.delete(entry.path);
    this.#bytes -= entry.bytes;
    const { path } = entry;
    // A file that cannot be removed is replaced by the next one of its name, or goes at the next start.
    const removal = rm(this.#place(path), { force: true }).catch(() => undefined).then(() => {
      if (this.#removals.get(path) === removal) this.#removals.delete(path);
    });
    this.#removals.set(path, removal);
  }

  #release(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.pins--;
      if (entry.doomed && entry.pins === 0 && entry.loading === undefined) this.#drop(entry);
    }
    this.#advance();
  }

  /** For the one who wrote it. It is only a cache: without room or disk space the file is fetched when it is asked for. */
  async #keep(path: string, bytes: Uint8Array): Promise<void> {
    this.#forget(path);
    if (this.#entries.has(path) || !this.#makeRoom(bytes.length, new Set())) return;
    await this.#add({ path, sizeBytes: bytes.length }, () => this.#write(path, bytes)).loading?.catch(() => undefined);
  }

  #forget(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    entry.doomed = true;
    if (entry.pins === 0 && entry.loading === undefined) this.#drop(entry);
    this.#advance();
  }

  #download({ path, sizeBytes }: NeededFile): Promise<void> {
    return this.#downloads.use(async () => {
      const bytes = await this.#store.get(path);
      if (bytes === undefined) throw new DatabaseError("object_store.not_found", { message: `The Parquet file '${path}' is not in the object store`, hint: "restore it from a backup, or ask again if it was just deleted", details: { path } });
      if (bytes.length !== sizeBytes) {
        throw new DatabaseError("object_store.unavailable", { message: `The Parquet file '${path}' has ${bytes.length} bytes in the object store instead of ${sizeBytes}`, hint: "ask again; if it stays so, restore the file from a backup", details: { path } });
      }
      await this.#write(path, bytes);
    });
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.#place(path);
    await this.#removals.get(path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(`${target}.part`, bytes);
      await rename(`${target}.part`, target);
    } catch (error) {
      await rm(`${target}.part`, { force: true }).catch(() => undefined);
      throw new DatabaseError("object_store.unavailable", { message: `The cache of Parquet files cannot be written: ${messageOf(error)}`, hint: "check the free space of the data folder", cause: error });
    }
  }

  #place(path: string): string {
    return join(this.#folder, ...path.split("/"));
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}

async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
