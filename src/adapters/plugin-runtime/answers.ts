/** Answers to host calls as they go back to the guest. */
import { HostCallError, type HostErrorKind } from "../../ports/plugin-runtime.ts";
import { ERROR_KINDS } from "./contract.ts";
import { REPLY, type ReplyKind } from "./control-block.ts";
import { encodeText } from "./guest-memory.ts";
import { INLINE_REPLY_BYTES_MAX, REPLY_BYTES_MAX } from "./limits.ts";

export interface Answer {
  readonly kind: ReplyKind;
  readonly bytes?: Uint8Array;
}

export const DONE: Answer = { kind: REPLY.none };

export function refusal(kind: HostErrorKind, message: string): Answer {
  const text = encodeText(message).subarray(0, INLINE_REPLY_BYTES_MAX - 1);
  const bytes = new Uint8Array(1 + text.length);
  bytes[0] = ERROR_KINDS.indexOf(kind);
  bytes.set(text, 1);
  return { kind: REPLY.error, bytes };
}

export function bulkAnswer(bytes: Uint8Array): Answer {
  if (bytes.length > REPLY_BYTES_MAX) throw new HostCallError("limit", `answer of ${bytes.length} bytes is larger than ${REPLY_BYTES_MAX}`);
  return { kind: REPLY.bytes, bytes };
}
