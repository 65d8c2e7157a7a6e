/**
 * The shared block between the ingest thread and the disk thread: one request at a time, words written before the
 * counter that announces them is raised. The disk thread waits on the counter; the ingest thread never waits and learns
 * of the reply from a message.
 */
import { FAILURE_BYTES_MAX, MAILBOX_BYTES } from "./limits.ts";

/** Indexes of the 32-bit words. */
export const WORD = { request: 0, operation: 1, file: 2, byteLength: 3, failed: 4, sizeLow: 5, sizeHigh: 6 } as const;

export const OPERATION = {
  /** Append the payload to `file`, without a sync. */
  write: 1,
  /** Append the payload, then fdatasync. */
  writeAndSync: 2,
  /** Cut `file` to the size in `sizeLow`/`sizeHigh`, then fsync. */
  truncate: 3,
  delete: 4,
  close: 5,
} as const;

const PAYLOAD_OFFSET = 64;

export interface DiskMailbox {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly payload: Uint8Array;
  readonly failure: Uint8Array;
}

export function openDiskMailbox(buffer: SharedArrayBuffer = new SharedArrayBuffer(PAYLOAD_OFFSET + MAILBOX_BYTES + FAILURE_BYTES_MAX)): DiskMailbox {
  return {
    buffer,
    words: new Int32Array(buffer, 0, PAYLOAD_OFFSET / 4),
    payload: new Uint8Array(buffer, PAYLOAD_OFFSET, MAILBOX_BYTES),
    failure: new Uint8Array(buffer, PAYLOAD_OFFSET + MAILBOX_BYTES, FAILURE_BYTES_MAX),
  };
}
