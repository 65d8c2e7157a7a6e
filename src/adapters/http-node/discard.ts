/**
 * Frees the memory of bytes that nobody needs any more, at once. Half a gigabyte of body chunks for each million rows would
 * wait for the garbage collector, which then runs in full every 64 MB: that cost more CPU than parsing. Moving the memory
 * away drops it: into an array buffer without room for it (0.5 µs), or, where the language has no such call, to a port
 * whose other end is closed (9 µs).
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageChannel } from "node:worker_threads";

export type Discard = (bytes: Uint8Array) => void;

/** Gives up the memory of a whole array buffer; throws when it cannot be moved. */
type Drop = (buffer: ArrayBuffer) => void;

type Transfer = (this: ArrayBuffer, newSize: number) => ArrayBuffer;

/** Node 20 has the call behind a flag that counts for contexts made from then on. */
const FLAG = "--harmony-rab-gsab-transfer";

export function createDiscard(drop: Drop = dropByTransfer() ?? dropByPort()): Discard {
  return ({ buffer, length }) => {
    // A part of something larger may have other users.
    if (length === 0 || buffer.byteLength !== length || !(buffer instanceof ArrayBuffer)) return;
    try {
      drop(buffer);
    } catch {
      // It cannot be moved, so it is left to the collector.
    }
  };
}

/** Undefined: the runtime has no such call. */
export function dropByTransfer(): Drop | undefined {
  try {
    const transfer = (ArrayBuffer.prototype as { transfer?: Transfer }).transfer ?? transferOfNewContext();
    const trial = new ArrayBuffer(8);
    transfer?.call(trial, 0);
    return transfer === undefined || trial.byteLength !== 0 ? undefined : (buffer) => void transfer.call(buffer, 0);
  } catch {
    return undefined;
  }
}

function transferOfNewContext(): Transfer | undefined {
  setFlagsFromString(FLAG);
  return runInNewContext("ArrayBuffer.prototype.transfer") as Transfer | undefined;
}

export function dropByPort(): Drop {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return (buffer) => port1.postMessage(undefined, [buffer]);
}
