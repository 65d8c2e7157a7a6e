/**
 * Frames on the pipes between server and executor processes: a value as JSON, its byte arrays and shared buffers behind it as
 * they are. Whoever reads bounds every size before it keeps anything.
 *
 * ```
 * u32 header bytes | u32 bulk bytes | header, UTF-8 JSON | bulk
 * ```
 */
import { sharedCopy } from "./shared-copy.ts";
import { DatabaseError, isDatabaseError } from "../../core/errors/database-error.ts";
import { FRAME_BULK_BYTES_MAX, FRAME_HEADER_BYTES_MAX } from "./limits.ts";

const PREFIX_BYTES = 8;
/** Texts that begin with # stand for something else; one that really does so is marked too. */
const MARK = { bigint: "#n:", shared: "#b:", bytes: "#u:", text: "#s:" } as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Parts to be written one after the other. Byte arrays and shared buffers of the value are not copied. */
export function encodeFrame(value: unknown): Uint8Array[] {
  const bulk: Uint8Array[] = [];
  let bulkBytes = 0;
  const place = (mark: string, bytes: Uint8Array): string => {
    bulk.push(bytes);
    bulkBytes += bytes.length;
    return `${mark}${bulkBytes - bytes.length}:${bytes.length}`;
  };
  const text = encoder.encode(
    // Not the argument, but what it was before `toJSON`: a Buffer has one.
    JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, name: string) {
      const member = this[name];
      if (typeof member === "bigint") return `${MARK.bigint}${member}`;
      if (typeof member === "string") return member.startsWith("#") ? `${MARK.text}${member}` : member;
      if (member instanceof SharedArrayBuffer) return place(MARK.shared, new Uint8Array(member));
      return member instanceof Uint8Array ? place(MARK.bytes, member) : member;
    }),
  );
  const prefix = new Uint8Array(PREFIX_BYTES);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, text.length, true);
  view.setUint32(4, bulkBytes, true);
  return [prefix, text, ...bulk.filter((part) => part.length > 0)];
}

function decodeFrame(text: Uint8Array, bulk: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(decoder.decode(text), (_, member: unknown) => (typeof member === "string" && member.startsWith("#") ? revive(member, bulk) : member));
  } catch (error) {
    throw isDatabaseError(error) ? error : brokenFrame("its header is not JSON");
  }
}

function revive(text: string, bulk: Uint8Array<ArrayBuffer>): unknown {
  const rest = text.slice(MARK.text.length);
  switch (text.slice(0, MARK.text.length)) {
    case MARK.text:
      return rest;
    case MARK.bigint:
      return BigInt(rest);
    case MARK.bytes:
      return partOf(rest, bulk);
    case MARK.shared:
      return sharedCopy(partOf(rest, bulk));
    default:
      throw brokenFrame("it holds an unknown mark");
  }
}

function partOf(place: string, bulk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const [offset, size] = place.split(":").map(Number);
  if (offset === undefined || size === undefined || !(offset >= 0 && size >= 0 && offset + size <= bulk.length)) throw brokenFrame("it names bytes that it does not hold");
  return bulk.subarray(offset, offset + size);
}

export function brokenFrame(what: string): DatabaseError {
  return new DatabaseError("plugin.message_invalid", { message: `A message of an executor process is broken: ${what}` });
}

/** Takes bytes as they come and gives whole frames. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** Throws `plugin.message_invalid`; the stream is of no use afterwards. */
  push(chunk: Uint8Array): unknown[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const values: unknown[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) values.push(frame.value);
    return values;
  }

  #next(): { readonly value: unknown } | undefined {
    if (this.#size < PREFIX_BYTES) return undefined;
    const prefix = this.#peek(PREFIX_BYTES);
    const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
    const [headerBytes, bulkBytes] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (headerBytes > FRAME_HEADER_BYTES_MAX || bulkBytes > FRAME_BULK_BYTES_MAX) throw brokenFrame(`${headerBytes} and ${bulkBytes} bytes are too many`);
    const total = PREFIX_BYTES + headerBytes + bulkBytes;
    if (this.#size < total) return undefined;
    const bytes = this.#take(total);
    return { value: decodeFrame(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes), bytes.subarray(PREFIX_BYTES + headerBytes)) };
  }

  #peek(count: number): Uint8Array {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= count) return first;
    const joined = this.#take(count);
    this.#chunks.unshift(joined);
    this.#size += count;
    return joined;
  }

  /** Copied once, into an aligned buffer of its own. */
  #take(count: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(0, count - at);
      taken.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#size -= count;
    return taken;
  }
}
