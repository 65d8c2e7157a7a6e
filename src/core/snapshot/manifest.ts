/**
 * The manifests of a node: a numbered log of which Parquet files there are and which part of the WAL they hold. Snapshots
 * add files, merges replace some by one, retention and deletion take some away. A file counts only once a manifest that
 * names it is durable. A checkpoint holds what all manifests up to its number come to, so that those may go.
 *
 * Integers that may pass 2^53 are written as texts, so that any JSON reader keeps them exact.
 */
import { joinBytes } from "../bytes/join.ts";
import { DatabaseError } from "../errors/database-error.ts";

export interface PersistedFile {
  readonly databaseId: number;
  readonly tableId: number;
  /** In the object store. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
  /** Start and length of the time window that holds all its rows, in nanoseconds. */
  readonly chunkTime: bigint;
  readonly chunkNs: bigint;
  /** Nanoseconds, both inclusive. */
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  /** Rows of these WAL sequences, both inclusive. Files of one table that overlap in time have disjoint ranges. */
  readonly sequenceMin: number;
  readonly sequenceMax: number;
}

/** What a manifest says of the WAL once it counts. */
export interface WalCover {
  /** WAL sequences up to it are persisted. */
  readonly sequenceMax: number;
  /** WAL files with a number up to it may be gone. */
  readonly walFile: number;
}

export interface Manifest extends WalCover {
  readonly nodeId: string;
  /** 1, 2, … without a gap. */
  readonly number: number;
  readonly added: readonly PersistedFile[];
  /** Paths of files that no longer count. */
  readonly removed: readonly string[];
}

export interface ManifestCheckpoint extends WalCover {
  readonly nodeId: string;
  /** That of the last manifest it includes. */
  readonly number: number;
  readonly files: readonly PersistedFile[];
}

const VERSION = "1";
const U64_MAX = 18_446_744_073_709_551_615n;

export const manifestFolder = (nodeId: string): string => `${nodeId}/snapshots/`;
export const checkpointFolder = (nodeId: string): string => `${nodeId}/snapshot-checkpoints/`;

const inverted = (number: number): string => String(U64_MAX - BigInt(number)).padStart(20, "0");

/** The number is inverted, so that listing gives the newest first (spec: storage §5). */
export const manifestPath = (nodeId: string, number: number): string => `${manifestFolder(nodeId)}${inverted(number)}.info.json`;
export const checkpointPath = (nodeId: string, number: number): string => `${checkpointFolder(nodeId)}${inverted(number)}.checkpoint.json`;

/** Undefined: not a manifest's path. */
export const manifestNumber = (nodeId: string, path: string): number | undefined => numberIn(path.slice(manifestFolder(nodeId).length), ".info.json");
export const checkpointNumber = (nodeId: string, path: string): number | undefined => numberIn(path.slice(checkpointFolder(nodeId).length), ".checkpoint.json");

function numberIn(name: string, ending: string): number | undefined {
  if (!name.endsWith(ending) || !/^\d{20}$/.test(name.slice(0, -ending.length))) return undefined;
  const number = Number(U64_MAX - BigInt(name.slice(0, 20)));
  return Number.isSafeInteger(number) ? number : undefined;
}

export const parquetFolder = (nodeId: string): string => `${nodeId}/dbs/`;

export const tableFolder = (nodeId: string, databaseId: number, tableId: number): string => `${parquetFolder(nodeId)}${databaseId}/${tableId}/`;

export interface FilePlace {
  readonly nodeId: string;
  readonly databaseId: number;
  readonly tableId: number;
  readonly chunkTime: bigint;
  readonly sequenceMax: number;
  /** Number of the manifest that a merge is for; undefined: a snapshot's file. */
  readonly mergedBy?: number;
}

/** `<node>/dbs/<database>/<table>/<YYYY-MM-DD>/<HH-MM>/<sequence>.parquet`, UTC (spec: storage §5); merged: `<sequence>-<manifest>.parquet`. */
export function parquetPath({ nodeId, databaseId, tableId, chunkTime, sequenceMax, mergedBy }: FilePlace): string {
  const minutes = chunkTime / 60_000_000_000n - (chunkTime % 60_000_000_000n < 0n ? 1n : 0n);
  const [date, clock] = new Date(Number(minutes) * 60_000).toISOString().split("T") as [string, string];
  const place = `${date}/${clock.slice(0, 2)}-${clock.slice(3, 5)}`;
  const name = String(sequenceMax).padStart(10, "0") + (mergedBy === undefined ? "" : `-${String(mergedBy).padStart(10, "0")}`);
  return `${tableFolder(nodeId, databaseId, tableId)}${place}/${name}.parquet`;
}

const encoder = new TextEncoder();

const fileJson = (file: PersistedFile): Record<string, unknown> => ({
  database_id: file.databaseId,
  table_id: file.tableId,
  path: file.path,
  size_bytes: file.sizeBytes,
  row_count: file.rowCount,
  chunk_time: String(file.chunkTime),
  chunk_duration: String(file.chunkNs),
  min_time: String(file.timeMin),
  max_time: String(file.timeMax),
  wal_sequence_min: file.sequenceMin,
  wal_sequence_max: file.sequenceMax,
});

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { nodeId, number, sequenceMax, walFile, added, removed } = manifest;
  const value = {
    version: VERSION,
    node_id: nodeId,
    snapshot_sequence_number: number,
    wal_sequence_max: sequenceMax,
    wal_file_sequence_number: walFile,
    parquet_size_bytes: added.reduce((sum, file) => sum + file.sizeBytes, 0),
    row_count: added.reduce((sum, file) => sum + file.rowCount, 0),
    files: added.map(fileJson),
    removed_files: removed,
  };
  return encoder.encode(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Files between two pauses: about 2 ms. */
const FILES_PER_SLICE = 1_000;

/** One line a file. Pauses every few milliseconds of work. */
export function* encodeCheckpoint({ nodeId, number, sequenceMax, walFile, files }: ManifestCheckpoint): Generator<undefined, Uint8Array> {
  const head = { version: VERSION, node_id: nodeId, snapshot_sequence_number: number, wal_sequence_max: sequenceMax, wal_file_sequence_number: walFile };
  const pieces = [encoder.encode(`${JSON.stringify(head).slice(0, -1)},"files":[`)];
  for (let from = 0; from < files.length; from += FILES_PER_SLICE) {
    const text = files.slice(from, from + FILES_PER_SLICE).map((file) => `\n${JSON.stringify(fileJson(file))}`).join(",");
    pieces.push(encoder.encode(from === 0 ? text : `,${text}`));
    yield;
  }
  pieces.push(encoder.encode("\n]}\n"));
  return joinBytes(pieces);
}

/** Throws `snapshot.corrupt`. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  const read = new Reader(path);
  const { value, ...head } = readHead(read, bytes);
  const removed = read.list(value, "removed_files").map((entry) => {
    if (typeof entry !== "string") throw read.corrupt("a removed file is not a text");
    return entry;
  });
  return { ...head, added: readFiles(read, value, head.nodeId), removed };
}

/** Throws `snapshot.corrupt`. */
export function decodeCheckpoint(bytes: Uint8Array, path: string): ManifestCheckpoint {
  const read = new Reader(path);
  const { value, ...head } = readHead(read, bytes);
  return { ...head, files: readFiles(read, value, head.nodeId) };
}

function readHead(read: Reader, bytes: Uint8Array): WalCover & { readonly value: JsonObject; readonly nodeId: string; readonly number: number } {
  const value = read.object(read.json(bytes), "the manifest");
  if (value["version"] !== VERSION) throw read.corrupt(`its version is ${JSON.stringify(value["version"])}, not "${VERSION}"`);
  return {
    value,
    nodeId: read.text(value, "node_id"),
    number: read.whole(value, "snapshot_sequence_number"),
    sequenceMax: read.whole(value, "wal_sequence_max"),
    walFile: read.whole(value, "wal_file_sequence_number"),
  };
}

function readFiles(read: Reader, value: JsonObject, nodeId: string): PersistedFile[] {
  return read.list(value, "files").map((entry) => {
    const file = read.object(entry, "a file");
    const place = read.text(file, "path");
    if (!place.startsWith(parquetFolder(nodeId)) || place.split("/").includes("..")) throw read.corrupt(`the file '${place}' lies outside the node's folder`);
    return {
      databaseId: read.whole(file, "database_id"), tableId: read.whole(file, "table_id"), path: place,
      sizeBytes: read.whole(file, "size_bytes"), rowCount: read.whole(file, "row_count"),
      chunkTime: read.long(file, "chunk_time"), chunkNs: read.long(file, "chunk_duration"),
      timeMin: read.long(file, "min_time"), timeMax: read.long(file, "max_time"),
      sequenceMin: read.whole(file, "wal_sequence_min"), sequenceMax: read.whole(file, "wal_sequence_max"),
    };
  });
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads untrusted JSON, member by member. */
class Reader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  corrupt(what: string, cause?: unknown): DatabaseError {
    return new DatabaseError("snapshot.corrupt", {
      message: `Snapshot manifest '${this.#path}' is damaged: ${what}`,
      hint: "restore the snapshots folder of this node from a backup",
      details: { path: this.#path },
      ...(cause === undefined ? {} : { cause }),
    });
  }

  json(bytes: Uint8Array): unknown {
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
      throw this.corrupt("it is not JSON", error);
    }
  }

  object(value: unknown, what: string): JsonObject {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.corrupt(`${what} is not an object`);
    return value as JsonObject;
  }

  list(object: JsonObject, name: string): readonly unknown[] {
    const value = object[name];
    if (!Array.isArray(value)) throw this.corrupt(`'${name}' is not a list`);
    return value as readonly unknown[];
  }

  text(object: JsonObject, name: string): string {
    const value = object[name];
    if (typeof value !== "string") throw this.corrupt(`'${name}' is not a text`);
    return value;
  }

  whole(object: JsonObject, name: string): number {
    const value = object[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw this.corrupt(`'${name}' is not a whole number`);
    return value;
  }

  long(object: JsonObject, name: string): bigint {
    const value = this.text(object, name);
    if (!/^-?\d{1,19}$/.test(value)) throw this.corrupt(`'${name}' is not a whole number`);
    return BigInt(value);
  }
}
