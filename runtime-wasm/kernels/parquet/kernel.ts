// The inner loops of Parquet pages, a row group's column at a time: dictionaries, the run-length and bit-packing hybrid,
// byte streams, bounds, snappy. The host puts values into the input area and reads bodies, bounds and compressed pages.
import { floatBounds, integerBounds } from "./bounds";
import { codeDictionary, wordDictionary } from "./dictionary";
import { encodeHybrid } from "./hybrid";
import { BODY, CODES, COMPRESSED, DICTIONARY, INPUT, PAGE, REPORT } from "./layout";
import { splitBytes } from "./split";

export { snappy as compress } from "./snappy";

/** Kinds of 64-bit values. */
const FLOAT: u32 = 0;
const SIGNED: u32 = 1;

/** Encodings by their numbers in the format. */
const PLAIN: u32 = 0;
const RLE_DICTIONARY: u32 = 8;
const BYTE_STREAM_SPLIT: u32 = 9;

export function inputAddress(): usize {
  return INPUT;
}

export function dictionaryAddress(): usize {
  return DICTIONARY;
}

export function bodyAddress(): usize {
  return BODY;
}

export function pageAddress(): usize {
  return PAGE;
}

export function compressedAddress(): usize {
  return COMPRESSED;
}

export function reportAddress(): usize {
  return REPORT;
}

function reportBody(entries: u32, end: usize): void {
  store<u32>(REPORT, entries, 20);
  store<u32>(REPORT, <u32>(end - BODY), 24);
}

/** The codes as a body: their width, then the hybrid. */
function codedBody(count: u32, entries: u32): void {
  const width = max<u32>(1, entries > 1 ? 32 - <u32>clz(entries - 1) : 0);
  store<u8>(BODY, width);
  reportBody(entries, encodeHybrid(count, width, BODY + 1));
}

/** Encodes 64-bit values of the input; returns the encoding. */
export function numbers(count: u32, kind: u32): u32 {
  store<u32>(REPORT, 0, 16);
  if (kind == FLOAT) floatBounds(count);
  else integerBounds(count, kind == SIGNED ? 0x8000000000000000 : 0);
  const entries = wordDictionary(count);
  if (entries > 0) {
    codedBody(count, entries);
    return RLE_DICTIONARY;
  }
  if (kind == FLOAT) splitBytes(INPUT, count, BODY);
  else memory.copy(BODY, INPUT, count << 3);
  reportBody(0, BODY + (count << 3));
  return kind == FLOAT ? BYTE_STREAM_SPLIT : PLAIN;
}

/** Encodes codes of the input; the dictionary area gets them in the order of their first use. */
export function codes(count: u32): void {
  codedBody(count, codeDictionary(count));
}

/** Encodes validity bytes of the input as definition levels. */
export function levels(count: u32): void {
  for (let row: u32 = 0; row < count; row++) store<u32>(CODES + (row << 2), load<u8>(INPUT + row));
  reportBody(0, encodeHybrid(count, 1, BODY));
}
