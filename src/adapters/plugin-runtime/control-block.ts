/**
 * The shared block between the main thread and one executor: how a blocked guest asks and how a running one is
 * stopped. At most one request is open; words are written before the counter that announces them is raised.
 */
import { INLINE_REPLY_BYTES_MAX } from "./limits.ts";
import { FLAT_PARAMETERS_MAX } from "./canonical-abi.ts";

/** Indexes of the 32-bit words. */
export const WORD = {
  /** Raised by the executor for each request. */
  request: 0,
  /** Raised by the main thread for each reply. */
  reply: 1,
  /** One of `STOP`. */
  stop: 2,
  operation: 3,
  /** Bytes of the inline payload, of a request or of a reply. */
  payloadBytes: 4,
  /** One of `REPLY`. */
  replyKind: 5,
} as const;

/** How a run is to end; only ever raised during one run. */
export const STOP = { none: 0, soft: 1, hard: 2 } as const;
export type StopLevel = (typeof STOP)[keyof typeof STOP];

/** Operations below `firstInternal` are host calls by their index in the contract. */
export const OPERATION = {
  firstInternal: 64,
  /** Payload: one printed line. */
  output: 64,
  /** Slot 0: milliseconds. */
  sleep: 65,
  /** Slot 0: address where the bytes of the reply before are to be put. */
  fill: 66,
} as const;

export const REPLY = {
  none: 0,
  bytes: 1,
  /** An option without value. */
  absent: 2,
  yes: 3,
  no: 4,
  /** Payload: one byte of error kind, then the message. */
  error: 5,
  /** Payload: a little-endian u32. */
  number: 6,
} as const;
export type ReplyKind = (typeof REPLY)[keyof typeof REPLY];

const SLOTS_OFFSET = 64;
const PAYLOAD_OFFSET = SLOTS_OFFSET + FLAT_PARAMETERS_MAX * 8;
const BLOCK_BYTES = PAYLOAD_OFFSET + INLINE_REPLY_BYTES_MAX;

export interface ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  /** Flat parameters; every kind that occurs in host calls fits a double exactly. */
  readonly slots: Float64Array;
  readonly payload: Uint8Array;
}

export function createControlBlock(): ControlBlock {
  return openControlBlock(new SharedArrayBuffer(BLOCK_BYTES));
}

export function openControlBlock(buffer: SharedArrayBuffer): ControlBlock {
  return {
    buffer,
    words: new Int32Array(buffer, 0, SLOTS_OFFSET / 4),
    slots: new Float64Array(buffer, SLOTS_OFFSET, FLAT_PARAMETERS_MAX),
    payload: new Uint8Array(buffer, PAYLOAD_OFFSET, INLINE_REPLY_BYTES_MAX),
  };
}
