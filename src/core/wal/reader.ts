/**
 * Reads WAL files and tells a torn end from damage in the middle. A torn end is what a crash leaves: the last group
 * commit, never acknowledged, is incomplete. Anything bad before a later group is damage, since that group's commit
 * started only after the bad bytes had been synced.
 */
import { crc32 } from "../bytes/crc32.ts";
import { decodeTableBatch, TABLE_BATCH_HEADER_BYTES, TABLE_BATCH_MAGIC, type TableBatchView } from "../columns/table-batch.ts";
import { isDatabaseError } from "../errors/database-error.ts";
import { RECORD_BATCHES_MAX } from "./limits.ts";
import { FILE_HEADER_BYTES, fileSalt, isFileHeader, POSITION_BYTES, POSITION_MAGIC, RECORD_HEADER_BYTES, type TriggerPosition } from "./record.ts";

export interface WalRecord {
  readonly sequence: number;
  readonly databaseId: number;
  /** Views into the file's bytes. */
  readonly batches: readonly TableBatchView[];
  readonly position: TriggerPosition | undefined;
  /** Sequence of the first record of its group commit. */
  readonly groupStart: number;
  /** Bytes of the file up to the record's end. */
  readonly end: number;
}

export interface BadEnd {
  /** Byte at which the good part ends. */
  readonly offset: number;
  readonly reason: string;
  /** True: more good records of a later group follow, so this is damage and not a torn end. */
  readonly middle: boolean;
}

/** Yields the good records in order; returns what ended them, or undefined at a clean end. `from`: the end of a record read before. */
export function* readWalFile(bytes: Uint8Array, file: number, from: number = FILE_HEADER_BYTES): Generator<WalRecord, BadEnd | undefined> {
  if (!isFileHeader(bytes, file)) {
    return { offset: 0, reason: bytes.length < FILE_HEADER_BYTES ? "the file header is cut off" : "the file header is damaged", middle: bytes.length >= FILE_HEADER_BYTES && hasLaterGroup(bytes, FILE_HEADER_BYTES, { sequenceLast: 0, salt: undefined }) };
  }
  const salt = fileSalt(bytes);
  let sequenceLast = 0;
  for (let at = from; at < bytes.length; ) {
    const record = readRecord(bytes, at, salt);
    if (typeof record === "string") return { offset: at, reason: record, middle: hasLaterGroup(bytes, at + 8, { sequenceLast, salt }) };
    if (record.sequence <= sequenceLast) return { offset: at, reason: "sequence numbers do not ascend", middle: true };
    sequenceLast = record.sequence;
    at = record.end;
    yield record;
  }
  return undefined;
}

/** A record, or why there is none at this offset. `salt` undefined: the file's is not known. */
function readRecord(bytes: Uint8Array, at: number, salt: bigint | undefined): WalRecord | string {
  if (at + RECORD_HEADER_BYTES > bytes.length) return "a record header is cut off";
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  const payloadBytes = view.getUint32(0, true);
  const end = at + RECORD_HEADER_BYTES + payloadBytes;
  if (payloadBytes === 0 || payloadBytes % 8 !== 0) return "a record header is damaged";
  if (end > bytes.length) return "a record is cut off";
  if (salt !== undefined && view.getBigUint64(32, true) !== salt) return "a record is not of this file";
  if (crc32(bytes, at + 8, end) !== view.getUint32(4, true)) return "a record's checksum is wrong";
  const sequence = Number(view.getBigUint64(8, true));
  const place = view.getUint32(24, true);
  const count = view.getUint32(20, true);
  const positions = view.getUint32(28, true);
  if (!Number.isSafeInteger(sequence) || place >= sequence || count > RECORD_BATCHES_MAX || positions > 1) return "a record header is damaged";
  let payload = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  let position: TriggerPosition | undefined;
  if (positions === 1) {
    position = readPosition(payload);
    if (position === undefined) return "a trigger's position is damaged";
    payload = payload.subarray(POSITION_BYTES);
  }
  const batches = readBatches(payload, count);
  if (typeof batches === "string") return batches;
  return { sequence, databaseId: view.getUint32(16, true), batches, position, groupStart: sequence - place, end };
}

function readPosition(payload: Uint8Array): TriggerPosition | undefined {
  if (payload.length < POSITION_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, POSITION_BYTES);
  const sequence = Number(view.getBigUint64(8, true));
  if (view.getUint32(0, true) !== POSITION_MAGIC || !Number.isSafeInteger(sequence)) return undefined;
  return { triggerId: view.getUint32(4, true), sequence };
}

function readBatches(payload: Uint8Array, count: number): TableBatchView[] | string {
  const batches: TableBatchView[] = [];
  let at = 0;
  try {
    for (let index = 0; index < count; index++) {
      if (at + TABLE_BATCH_HEADER_BYTES > payload.length) return "a table batch is cut off";
      const batch = decodeTableBatch(payload.subarray(at));
      batches.push(batch);
      at += batch.bytes.length;
    }
  } catch (error) {
    if (isDatabaseError(error)) return error.message;
    throw error;
  }
  return at === payload.length ? batches : "a record has bytes left over";
}

interface After {
  readonly sequenceLast: number;
  readonly salt: bigint | undefined;
}

/**
 * Looks for a whole record whose group began after `sequenceLast + 1`: proof that what is bad had been synced. Only what
 * carries the file's salt is looked at; where even that is lost, what a table batch or a position follows.
 */
function hasLaterGroup(bytes: Uint8Array, from: number, { sequenceLast, salt }: After): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [saltLow, saltHigh] = salt === undefined ? [undefined, undefined] : [Number(salt & 0xffff_ffffn), Number(salt >> 32n)];
  for (let at = from; at + RECORD_HEADER_BYTES + POSITION_BYTES <= bytes.length; at += 8) {
    if (saltLow !== undefined && (view.getUint32(at + 32, true) !== saltLow || view.getUint32(at + 36, true) !== saltHigh)) continue;
    const payloadBytes = view.getUint32(at, true);
    const positions = view.getUint32(at + 28, true);
    const plausible = payloadBytes > 0 && payloadBytes % 8 === 0 && at + RECORD_HEADER_BYTES + payloadBytes <= bytes.length && positions <= 1;
    if (!plausible || view.getUint32(at + RECORD_HEADER_BYTES, true) !== (positions === 1 ? POSITION_MAGIC : TABLE_BATCH_MAGIC)) continue;
    const record = readRecord(bytes, at, salt);
    if (typeof record !== "string" && record.groupStart > sequenceLast + 1) return true;
  }
  return false;
}
