/**
 * DER (X.690 §8, §10) as far as certificates and keys need it. Every function throws `RangeError` on what is not DER, as
 * `DataView` does for what lies beyond its end.
 */

export interface Element {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

export const INTEGER = 0x02;
export const SEQUENCE = 0x30;

/** The elements that follow one another in `bytes`. */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const tag = view.getUint8(at);
    let length = view.getUint8(at + 1);
    at += 2;
    if (length > 0x7f) {
      const digits = length & 0x7f;
      length = 0;
      for (const end = at + digits; at < end; at += 1) length = length * 256 + view.getUint8(at);
    }
    // Also refuses what lies beyond the end.
    found.push({ tag, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset + at, length <= bytes.length - at ? length : LENGTH_OF_NO_ARRAY) });
    at += length;
  }
  return found;
}

const LENGTH_OF_NO_ARRAY = Number.MAX_SAFE_INTEGER;

export const inside = (element: Element | undefined): Element[] => (element === undefined ? [] : elements(element.bytes));

/** An arc is at most a UUID (X.667), which takes 19 bytes: longer ones only cost time, which grows with the square of their length. */
const ARC_BYTES_MAX = 19;

const UNREADABLE = "<invalid>";

export function objectId(element: Element | undefined): string {
  const numbers: bigint[] = [];
  let number = 0n;
  let length = 0;
  for (const byte of element?.bytes ?? []) {
    length += 1;
    if (length > ARC_BYTES_MAX) return UNREADABLE;
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte > 0x7f) continue;
    numbers.push(number);
    number = 0n;
    length = 0;
  }
  const [first = 0n, ...rest] = numbers;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join(".");
}
