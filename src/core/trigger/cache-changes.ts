/**
 * What an instance changed in its private cache, as it tells it and is told (runtime-wasm/python/cache_exchange.py):
 * entries back to back, little-endian: u32 size of the key, the key in UTF-8, u8 kind (0 deleted, 1 value, 2 no plain
 * data), f64 seconds left to live (NaN: no end), u32 size of the value, the value. Values stay opaque here.
 */
import { DatabaseError } from "../errors/database-error.ts";

export interface CacheChange {
  /** In UTF-8; Python's lone surrogates make it invalid, which is its own affair. */
  readonly key: Uint8Array;
  readonly kind: "deleted" | "value" | "not-data";
  /** Undefined: no end. */
  readonly secondsLeft: number | undefined;
  /** Empty unless the kind is `value`. */
  readonly value: Uint8Array;
}

const KINDS = ["deleted", "value", "not-data"] as const;
const KEY_SIZE_BYTES = 4;
const TAIL_BYTES = 13;

/** Throws `plugin.message_invalid`: the bytes come from a guest. */
export function decodeCacheChanges(bytes: Uint8Array): CacheChange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const changes: CacheChange[] = [];
  let at = 0;
  const take = (size: number): number => {
    if (size > bytes.length - at) throw damaged();
    at += size;
    return at - size;
  };
  while (at < bytes.length) {
    const keySize = view.getUint32(take(KEY_SIZE_BYTES), true);
    const keyAt = take(keySize);
    const tail = take(TAIL_BYTES);
    const kind = KINDS[view.getUint8(tail)];
    const secondsLeft = view.getFloat64(tail + 1, true);
    const size = view.getUint32(tail + 9, true);
    const valueAt = take(size);
    if (kind === undefined || secondsLeft < 0 || (kind !== "value" && size > 0)) throw damaged();
    changes.push({ key: bytes.slice(keyAt, keyAt + keySize), kind, secondsLeft: Number.isNaN(secondsLeft) ? undefined : secondsLeft, value: bytes.slice(valueAt, valueAt + size) });
  }
  return changes;
}

export function encodeCacheChanges(changes: readonly CacheChange[]): Uint8Array {
  const bytes = new Uint8Array(changes.reduce((sum, { key, value }) => sum + KEY_SIZE_BYTES + key.length + TAIL_BYTES + value.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { key, kind, secondsLeft, value } of changes) {
    view.setUint32(at, key.length, true);
    bytes.set(key, at + KEY_SIZE_BYTES);
    at += KEY_SIZE_BYTES + key.length;
    view.setUint8(at, KINDS.indexOf(kind));
    view.setFloat64(at + 1, secondsLeft ?? Number.NaN, true);
    view.setUint32(at + 9, value.length, true);
    bytes.set(value, at + TAIL_BYTES);
    at += TAIL_BYTES + value.length;
  }
  return bytes;
}

function damaged(): DatabaseError {
  return new DatabaseError("plugin.message_invalid", { message: "The guest's changes of its cache are damaged" });
}
