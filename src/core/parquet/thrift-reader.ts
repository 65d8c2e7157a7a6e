/** Reads Thrift's compact protocol into plain members by field id. Every size is bounded by the bytes that are there. */
import { damagedParquet } from "./damaged.ts";

/** Integers as numbers (those of the format fit 2^53), binaries as bytes, lists as arrays, structs as maps. */
export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;
export interface ThriftStruct extends ReadonlyMap<number, ThriftValue> {}

const DEPTH_MAX = 16;
const BOOL_TRUE = 1;
const BOOL_FALSE = 2;
const DOUBLE = 7;
const SET = 10;

export class ThriftReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#at = offset;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at;
  }

  struct(depth = 0): ThriftStruct {
    if (depth > DEPTH_MAX) throw damagedParquet("structs are nested too deeply");
    const members = new Map<number, ThriftValue>();
    let last = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return members;
      const type = head & 15;
      last = head >> 4 === 0 ? this.#zigzag() : last + (head >> 4);
      members.set(last, type === BOOL_TRUE ? true : type === BOOL_FALSE ? false : this.#value(type, depth + 1));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case BOOL_TRUE:
      case BOOL_FALSE:
        return this.#byte() === BOOL_TRUE;
      case 3:
        return (this.#byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return this.#zigzag();
      case DOUBLE:
        return this.#take(8);
      case 8:
        return this.#take(this.#varint());
      case 9:
      case SET:
        return this.#list(depth);
      case 12:
        return this.struct(depth);
      default:
        throw damagedParquet(`unknown member type ${type}`);
    }
  }

  #list(depth: number): readonly ThriftValue[] {
    if (depth > DEPTH_MAX) throw damagedParquet("lists are nested too deeply");
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Every element takes a byte at least.
    if (count > this.#bytes.length - this.#at) throw damagedParquet("a list is longer than the file");
    const items: ThriftValue[] = [];
    for (let index = 0; index < count; index++) items.push(this.#value(head & 15, depth + 1));
    return items;
  }

  #byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw damagedParquet("it is cut off");
    return value;
  }

  #take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) throw damagedParquet("it is cut off");
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw damagedParquet("a number is too long");
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** Members of a struct by their types; throws where one is missing or has another type. */
export function wholeAt(struct: ThriftStruct, id: number): number {
  const value = struct.get(id);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw damagedParquet(`member ${id} is no whole number`);
  return value;
}

export function structAt(struct: ThriftStruct, id: number): ThriftStruct {
  const value = struct.get(id);
  if (!(value instanceof Map)) throw damagedParquet(`member ${id} is no struct`);
  return value as ThriftStruct;
}

export function structsAt(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  const value = struct.get(id);
  if (!Array.isArray(value) || !value.every((item) => item instanceof Map)) throw damagedParquet(`member ${id} is no list of structs`);
  return value as readonly ThriftStruct[];
}
