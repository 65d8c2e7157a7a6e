/**
 * Catalog objects as bytes: a 64-byte little-endian header, then JSON. A log record holds ops, a checkpoint the whole
 * state; both name the catalog (uuid), their writer and their sequence, and carry checksums over header and payload.
 *
 * ```
 * u32 "TMCA" | u16 version | u16 flags (1: checkpoint) | uuid 16 | writer 16 | u64 sequence | u32 payload bytes | u32 payload crc | u32 0 | u32 header crc
 * ```
 */
import { crc32 } from "../bytes/crc32.ts";
import { isDatabaseError } from "../errors/database-error.ts";
import { decodeOp, encodeOp } from "./codec-ops.ts";
import { decodeState, encodeState } from "./codec-state.ts";
import { asArray, asObject, corruptCatalog } from "./json.ts";
import { CATALOG_OBJECT_BYTES_MAX } from "./limits.ts";
import type { CatalogOp } from "./ops.ts";
import type { CatalogState } from "./state.ts";

const MAGIC = 0x41434d54;
const VERSION = 1;
const CHECKPOINT = 1;
const HEADER_BYTES = 64;
const HEADER_CRC_AT = 60;

export interface CatalogObject {
  /** 32 hex digits. */
  readonly uuid: string;
  /** Names the process that wrote it, 32 hex digits: tells a retry of ours from another server. */
  readonly writer: string;
  readonly sequence: number;
  readonly content: { readonly kind: "record"; readonly ops: readonly CatalogOp[] } | { readonly kind: "checkpoint"; readonly state: CatalogState };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeCatalogObject(object: CatalogObject): Uint8Array<ArrayBuffer> {
  const { content } = object;
  const value = content.kind === "record" ? { ops: content.ops.map(encodeOp) } : encodeState(content.state);
  const payload = encoder.encode(JSON.stringify(value));
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, content.kind === "checkpoint" ? CHECKPOINT : 0, true);
  bytes.set(fromHex(object.uuid), 8);
  bytes.set(fromHex(object.writer), 24);
  view.setBigUint64(40, BigInt(object.sequence), true);
  view.setUint32(48, payload.length, true);
  view.setUint32(52, crc32(payload), true);
  view.setUint32(HEADER_CRC_AT, crc32(bytes, 0, HEADER_CRC_AT), true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** True when the bytes start like a catalog object of ours, whole or not. */
export function looksLikeCatalogObject(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

/** Throws `catalog.corrupt` for whatever is not a whole object. */
export function decodeCatalogObject(bytes: Uint8Array): CatalogObject {
  if (bytes.length < HEADER_BYTES || !looksLikeCatalogObject(bytes)) throw corruptCatalog("it has no header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crc32(bytes, 0, HEADER_CRC_AT) !== view.getUint32(HEADER_CRC_AT, true)) throw corruptCatalog("its header has a wrong checksum");
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw corruptCatalog(`it has version ${version}, and this program reads version ${VERSION}`);
  const size = view.getUint32(48, true);
  if (size > CATALOG_OBJECT_BYTES_MAX || HEADER_BYTES + size !== bytes.length) throw corruptCatalog("its size does not match its header");
  if (crc32(bytes, HEADER_BYTES) !== view.getUint32(52, true)) throw corruptCatalog("its content has a wrong checksum");
  const sequence = Number(view.getBigUint64(40, true));
  if (!Number.isSafeInteger(sequence)) throw corruptCatalog("its sequence is out of range");
  const value = parseJson(bytes.subarray(HEADER_BYTES));
  return {
    uuid: toHex(bytes.subarray(8, 24)),
    writer: toHex(bytes.subarray(24, 40)),
    sequence,
    content:
      view.getUint16(6, true) === CHECKPOINT
        ? { kind: "checkpoint", state: decodeState(value, sequence) }
        : { kind: "record", ops: asArray(asObject(value, "record")["ops"], "ops").map(decodeOp) },
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw isDatabaseError(error) ? error : corruptCatalog("it is not JSON", error);
  }
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
}
