/** Where catalog objects lie, how they are loaded, and how a catalog that is not ours is recognised and left alone. */
import { type CatalogObject, decodeCatalogObject, looksLikeCatalogObject } from "../core/catalog/codec.ts";
import { LOG_RECORDS_MAX } from "../core/catalog/limits.ts";
import { applyRecord } from "../core/catalog/ops.ts";
import { type CatalogState, EMPTY_CATALOG } from "../core/catalog/state.ts";
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { ObjectStore } from "../ports/object-store.ts";

const numbered = (sequence: number): string => String(sequence).padStart(20, "0");

export const recordPath = (prefix: string, sequence: number): string => `${prefix}/log/${numbered(sequence)}.tmcat`;
export const checkpointPath = (prefix: string, sequence: number): string => `${prefix}/checkpoint/${numbered(sequence)}.tmcat`;

export interface LoadedCatalog {
  readonly uuid: string;
  readonly state: CatalogState;
  /** Log records after the checkpoint. */
  readonly recordCount: number;
}

interface CatalogFiles {
  readonly records: readonly number[];
  readonly checkpoints: readonly number[];
}

const foreign = (path: string): DatabaseError =>
  new DatabaseError("catalog.foreign", {
    message: `The object store holds a catalog of another system ('${path}'); nothing was changed`,
    hint: "choose another node id or another data folder; Tidemark does not read InfluxDB's files",
    details: { path },
  });

/** Paths of ours under the prefix; throws `catalog.foreign` for any other one. */
async function listFiles(store: ObjectStore, prefix: string): Promise<CatalogFiles> {
  // Older releases of the reference keep `<node-id>/catalogs/`.
  const [older] = await store.list(`${prefix}s/`);
  if (older !== undefined) throw foreign(older);
  const records: number[] = [];
  const checkpoints: number[] = [];
  for (const path of await store.list(`${prefix}/`)) {
    const match = /^(log|checkpoint)\/(\d{20})\.tmcat$/.exec(path.slice(prefix.length + 1));
    if (match === null || !Number.isSafeInteger(Number(match[2]))) throw foreign(path);
    (match[1] === "log" ? records : checkpoints).push(Number(match[2]));
  }
  const ascending = (a: number, b: number): number => a - b;
  return { records: records.sort(ascending), checkpoints: checkpoints.sort(ascending) };
}

/** Throws `catalog.foreign` for a prefix that another system uses. */
export async function checkNotForeign(store: ObjectStore, prefix: string): Promise<void> {
  await listFiles(store, prefix);
}

async function read(store: ObjectStore, path: string): Promise<CatalogObject | undefined> {
  const bytes = await store.get(path);
  if (bytes === undefined) return undefined;
  if (bytes.length >= 4 && !looksLikeCatalogObject(bytes)) throw foreign(path);
  try {
    return decodeCatalogObject(bytes);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    throw new DatabaseError("catalog.corrupt", { message: `Catalog file '${path}' cannot be read: ${messageOf(error)}`, hint: error.hint ?? "restore it from a backup", details: { path } });
  }
}

export function readRecord(store: ObjectStore, prefix: string, sequence: number): Promise<CatalogObject | undefined> {
  return read(store, recordPath(prefix, sequence));
}

/** The newest checkpoint and the records after it; undefined when there is no catalog yet. */
export async function loadCatalog(store: ObjectStore, prefix: string): Promise<LoadedCatalog | undefined> {
  const files = await listFiles(store, prefix);
  if (files.records.length > LOG_RECORDS_MAX) throw broken(prefix, `it has more than ${LOG_RECORDS_MAX} log records`);
  let state = EMPTY_CATALOG;
  let uuid: string | undefined;
  const newest = files.checkpoints.at(-1);
  if (newest !== undefined) {
    const object = await read(store, checkpointPath(prefix, newest));
    if (object === undefined || object.content.kind !== "checkpoint" || object.sequence !== newest) throw broken(prefix, `checkpoint ${newest} is not one`);
    state = object.content.state;
    uuid = object.uuid;
  }
  let recordCount = 0;
  for (const sequence of files.records) {
    if (sequence <= state.sequence) continue;
    if (sequence !== state.sequence + 1) throw broken(prefix, `record ${state.sequence + 1} is missing`);
    const object = await readRecord(store, prefix, sequence);
    if (object === undefined || object.content.kind !== "record" || object.sequence !== sequence) throw broken(prefix, `record ${sequence} is not one`);
    if (uuid !== undefined && object.uuid !== uuid) throw broken(prefix, `record ${sequence} belongs to another catalog`);
    uuid = object.uuid;
    state = applyLoaded(state, sequence, object.content.ops, prefix);
    recordCount++;
  }
  return uuid === undefined ? undefined : { uuid, state, recordCount };
}

function applyLoaded(state: CatalogState, sequence: number, ops: Parameters<typeof applyRecord>[2], prefix: string): CatalogState {
  try {
    return applyRecord(state, sequence, ops);
  } catch (error) {
    throw broken(prefix, `record ${sequence} does not fit the state before it (${messageOf(error)})`);
  }
}

function broken(prefix: string, what: string): DatabaseError {
  return new DatabaseError("catalog.corrupt", { message: `Catalog '${prefix}' is damaged: ${what}`, hint: "restore the catalog folder of this node from a backup" });
}

/** Deletes what a durable checkpoint covers. */
export async function cleanUp(store: ObjectStore, prefix: string, checkpoint: number): Promise<void> {
  const files = await listFiles(store, prefix);
  for (const sequence of files.records) if (sequence <= checkpoint) await store.delete(recordPath(prefix, sequence));
  for (const sequence of files.checkpoints) if (sequence < checkpoint) await store.delete(checkpointPath(prefix, sequence));
}
