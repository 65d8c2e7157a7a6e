/**
 * Records of the WAL: one write request of one database, all its table batches or none. A file is a header and records
 * back to back; everything is little-endian and 8-byte aligned.
 *
 * ```
 * file header (24)    "TMWAL001" | u32 file number | u32 CRC-32 of the other 20 bytes | u64 salt
 * record header (40)  u32 payload bytes | u32 CRC-32 of all that follows | u64 sequence | u32 database id | u32 batches
 *                     | u32 place in its group commit | u32 1: a trigger's position comes first, else 0 | u64 the file's salt
 * payload             position (16): "TPOS" | u32 trigger id | u64 sequence; then table batches back to back
 * ```
 * A durable trigger's position stands in the record of what its run wrote, so that both come into effect or none.
 * The salt is random and never leaves the file: bytes that a client chose, left by a torn write, cannot pose as a record.
 * Sequences ascend. The place tells which records were synced together: what a later group follows was durable.
 */
import { type Checksum, crc32 } from "../bytes/crc32.ts";
import { assert } from "../errors/assert.ts";
import { encodeTableBatchInto, tableBatchSize, type TableBatchInput } from "../columns/table-batch.ts";

export const FILE_HEADER_BYTES = 24;
export const RECORD_HEADER_BYTES = 40;
/** "TMWAL001" */
const FILE_MAGIC = 0x3130_304c_4157_4d54n;

/** Size of a position in a record. */
export const POSITION_BYTES = 16;
/** "TPOS" */
export const POSITION_MAGIC = 0x534f_5054;

/** The sequence up to which a durable trigger is done with the log. */
export interface TriggerPosition {
  readonly triggerId: number;
  readonly sequence: number;
}

export interface RecordInput {
  readonly sequence: number;
  readonly databaseId: number;
  readonly batches: readonly TableBatchInput[];
  readonly position?: TriggerPosition | undefined;
}

/** `salt`: random, or 0 for a file that will hold no record. */
export function encodeFileHeader(file: number, salt: bigint): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, FILE_MAGIC, true);
  view.setUint32(8, file, true);
  view.setBigUint64(16, salt, true);
  view.setUint32(12, headerChecksum(bytes), true);
  return bytes;
}

/** True when the bytes start with a whole header of this file number. */
export function isFileHeader(bytes: Uint8Array, file: number): boolean {
  if (bytes.length < FILE_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES);
  return view.getBigUint64(0, true) === FILE_MAGIC && view.getUint32(8, true) === file && view.getUint32(12, true) === headerChecksum(bytes);
}

const headerChecksum = (bytes: Uint8Array): number => crc32(bytes, 16, FILE_HEADER_BYTES, crc32(bytes, 0, 12));

/** The salt in a whole header. */
export const fileSalt = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES).getBigUint64(16, true);

/** Exact size of a record, known before anything is allocated. */
export function recordSize(batches: readonly TableBatchInput[], position?: TriggerPosition): number {
  return batches.reduce((size, batch) => size + tableBatchSize(batch), RECORD_HEADER_BYTES + (position === undefined ? 0 : POSITION_BYTES));
}

/** Encodes into `target`, which has exactly the record's size. `sealRecord` must follow before it is written. */
export function encodeRecord(input: RecordInput, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, RECORD_HEADER_BYTES);
  view.setUint32(0, target.length - RECORD_HEADER_BYTES, true);
  view.setBigUint64(8, BigInt(input.sequence), true);
  view.setUint32(16, input.databaseId, true);
  view.setUint32(20, input.batches.length, true);
  view.setUint32(28, input.position === undefined ? 0 : 1, true);
  let at = RECORD_HEADER_BYTES;
  if (input.position !== undefined) at += encodePosition(input.position, target);
  for (const batch of input.batches) at += encodeTableBatchInto(batch, target, at);
  assert(at === target.length, "a record fills the room that was counted for it");
}

function encodePosition(position: TriggerPosition, target: Uint8Array): number {
  const view = new DataView(target.buffer, target.byteOffset + RECORD_HEADER_BYTES, POSITION_BYTES);
  view.setUint32(0, POSITION_MAGIC, true);
  view.setUint32(4, position.triggerId, true);
  view.setBigUint64(8, BigInt(position.sequence), true);
  return POSITION_BYTES;
}

/** Where the table batches of a record of our own begin. */
export function batchesStart(record: Uint8Array): number {
  const hasPosition = new DataView(record.buffer, record.byteOffset, RECORD_HEADER_BYTES).getUint32(28, true) === 1;
  return RECORD_HEADER_BYTES + (hasPosition ? POSITION_BYTES : 0);
}

/** Gives the record its sequence: known only when its commit starts, since a failed commit must leave no gap. */
export function numberRecord(record: Uint8Array, sequence: number): void {
  new DataView(record.buffer, record.byteOffset, RECORD_HEADER_BYTES).setBigUint64(8, BigInt(sequence), true);
}

export interface Seal {
  readonly placeInGroup: number;
  /** That of the file it goes to. */
  readonly salt: bigint;
}

/** Makes the record ready for its file. `checksum` is CRC-32. */
export function sealRecord(record: Uint8Array, { placeInGroup, salt }: Seal, checksum: Checksum = crc32): void {
  const view = new DataView(record.buffer, record.byteOffset, RECORD_HEADER_BYTES);
  view.setUint32(24, placeInGroup, true);
  view.setBigUint64(32, salt, true);
  view.setUint32(4, checksum(record, 8), true);
}
