/** Work on request bodies with `node:zlib` and `node:buffer`, which Deno and Bun carry too. */
import { isUtf8 as isUtf8Buffer } from "node:buffer";
import { gunzip as gunzipCallback } from "node:zlib";
import { GUNZIP_PIECE_BYTES_MIN, GUNZIP_RATIO_GUESS_MAX } from "./limits.ts";

export function isUtf8(bytes: Uint8Array): boolean {
  return isUtf8Buffer(bytes);
}

/** Inflates all members of a stream. Undefined when the result would exceed `sizeMax` bytes; rejects when the stream is corrupt. */
export function gunzip(bytes: Uint8Array, sizeMax: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    // One byte of room beyond the limit, because Bun and Deno refuse results of exactly `maxOutputLength`.
    gunzipCallback(bytes, { maxOutputLength: sizeMax + 1, chunkSize: pieceSize(bytes, sizeMax) }, (error, result) => {
      // Not Node's Buffer: its slice() makes no copy, and what is kept of a body would hold all of it.
      if (error === null) resolve(result.length > sizeMax ? undefined : new Uint8Array(result.buffer, result.byteOffset, result.length));
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") resolve(undefined);
      else reject(error);
    });
  });
}

/**
 * Room for the whole result at once, so that the pool's thread is asked once and nothing is joined: the stream's last four
 * bytes tell the size of its last member. That is the sender's word, believed only as far as line protocol compresses.
 */
function pieceSize(bytes: Uint8Array, sizeMax: number): number {
  const told = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  // One byte more than it takes: a piece that is filled to the end calls for another one.
  return Math.max(GUNZIP_PIECE_BYTES_MIN, Math.min(told, sizeMax, bytes.length * GUNZIP_RATIO_GUESS_MAX) + 1);
}
