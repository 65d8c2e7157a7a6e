/**
 * The manifest of a snapshot: which Parquet files hold which part of the WAL. A file counts only once its manifest is
 * durable; the manifests of a node cover the WAL from its beginning without gap or overlap.
 *
 * Integers that may pass 2^53 are written as texts, so that any JSON reader keeps them exact.
 */
import { DatabaseError } from "../errors/database-error.ts";

export interface PersistedFile {
  readonly databaseId: number;
  readonly tableId: number;
  /** In the object store. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
  readonly chunkTime: bigint;
  /** Nanoseconds, both inclusive. */
  readonly timeMin: bigint;
  readonly timeMax: bigint;
  /** Rows of these WAL sequences, both inclusive. */
  readonly sequenceMin: number;
  readonly sequenceMax: number;
}

export interface Manifest {
  readonly nodeId: string;
  readonly sequenceMin: number;
  readonly sequenceMax: number;
  /** WAL files with a number up to it may be gone. */
  readonly walFile: number;
  readonly files: readonly PersistedFile[];
}

const VERSION = "1";
const U64_MAX = 18_446_744_073_709_551_615n;
const PATH = /^(\d{20})\.info\.json$/;

export const manifestFolder = (nodeId: string): string => `${nodeId}/snapshots/`;

/** The number is inverted, so that listing gives the newest first (spec: storage §5). */
export const manifestPath = (nodeId: string, sequenceMax: number): string =>
  `${manifestFolder(nodeId)}${String(U64_MAX - BigInt(sequenceMax)).padStart(20, "0")}.info.json`;

/** Undefined: not a manifest's path. */
export function manifestSequence(nodeId: string, path: string): number | undefined {
  const match = PATH.exec(path.slice(manifestFolder(nodeId).length));
  if (match === null) return undefined;
  const sequence = Number(U64_MAX - BigInt(match[1] as string));
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}

export const parquetFolder = (nodeId: string): string => `${nodeId}/dbs/`;

export interface FilePlace {
  readonly nodeId: string;
  readonly databaseId: number;
  readonly tableId: number;
  readonly chunkTime: bigint;
  readonly sequenceMax: number;
}

/** `<node>/dbs/<database>/<table>/<YYYY-MM-DD>/<HH-MM>/<sequence>.parquet`, UTC (spec: storage §5). */
export function parquetPath({ nodeId, databaseId, tableId, chunkTime, sequenceMax }: FilePlace): string {
  const minutes = chunkTime / 60_000_000_000n - (chunkTime % 60_000_000_000n < 0n ? 1n : 0n);
  const [date, clock] = new Date(Number(minutes) * 60_000).toISOString().split("T") as [string, string];
  const place = `${date}/${clock.slice(0, 2)}-${clock.slice(3, 5)}`;
  return `${parquetFolder(nodeId)}${databaseId}/${tableId}/${place}/${String(sequenceMax).padStart(10, "0")}.parquet`;
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const { nodeId, sequenceMin, sequenceMax, walFile, files } = manifest;
  const value = {
    version: VERSION,
    node_id: nodeId,
    wal_sequence_min: sequenceMin,
    wal_sequence_max: sequenceMax,
    wal_file_sequence_number: walFile,
    parquet_size_bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    row_count: files.reduce((sum, file) => sum + file.rowCount, 0),
    files: files.map((file) => ({
      database_id: file.databaseId,
      table_id: file.tableId,
      path: file.path,
      size_bytes: file.sizeBytes,
      row_count: file.rowCount,
      chunk_time: String(file.chunkTime),
      min_time: String(file.timeMin),
      max_time: String(file.timeMax),
    })),
  };
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Throws `snapshot.corrupt`. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  const read = new Reader(path);
  const value = read.object(read.json(bytes), "the manifest");
  if (value["version"] !== VERSION) throw read.corrupt(`its version is ${JSON.stringify(value["version"])}, not "${VERSION}"`);
  const nodeId = read.text(value, "node_id");
  const sequenceMin = read.whole(value, "wal_sequence_min");
  const sequenceMax = read.whole(value, "wal_sequence_max");
  const list = value["files"];
  if (!Array.isArray(list)) throw read.corrupt("'files' is not a list");
  const files = list.map((entry: unknown): PersistedFile => {
    const file = read.object(entry, "a file");
    const place = read.text(file, "path");
    if (!place.startsWith(parquetFolder(nodeId)) || place.split("/").includes("..")) throw read.corrupt(`the file '${place}' lies outside the node's folder`);
    return {
      databaseId: read.whole(file, "database_id"), tableId: read.whole(file, "table_id"), path: place,
      sizeBytes: read.whole(file, "size_bytes"), rowCount: read.whole(file, "row_count"),
      chunkTime: read.long(file, "chunk_time"), timeMin: read.long(file, "min_time"), timeMax: read.long(file, "max_time"),
      sequenceMin, sequenceMax,
    };
  });
  return { nodeId, sequenceMin, sequenceMax, walFile: read.whole(value, "wal_file_sequence_number"), files };
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
