/**
 * Frees the memory of bytes that nobody needs any more, at once. Half a gigabyte of body chunks for each million rows would
 * wait for the garbage collector, which then runs in full every 64 MB: that cost more CPU than parsing. Moving the memory
 * to a port whose other end is closed drops it.
 */
import { MessageChannel } from "node:worker_threads";

export type Discard = (bytes: Uint8Array) => void;

export function createDiscard(): Discard {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return ({ buffer, length }) => {
    // A part of something larger may have other users.
    if (length === 0 || buffer.byteLength !== length || !(buffer instanceof ArrayBuffer)) return;
    try {
      port1.postMessage(undefined, [buffer]);
    } catch {
      // It cannot be moved, so it is left to the collector.
    }
  };
}
