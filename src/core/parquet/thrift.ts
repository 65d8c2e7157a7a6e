/** Thrift's compact protocol, the part that Parquet's page headers and footer need. */
import { ByteWriter } from "../bytes/byte-writer.ts";

const encoder = new TextEncoder();

/** Element types of the compact protocol. */
export const THRIFT = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

export class ThriftWriter {
  readonly #out = new ByteWriter();
  readonly #lastIds: number[] = [0];

  bool(id: number, value: boolean): void {
    this.#field(id, value ? 1 : 2);
  }

  byte(id: number, value: number): void {
    this.#field(id, 3);
    this.#out.byte(value);
  }

  /** Any safe integer. */
  i32(id: number, value: number): void {
    this.#field(id, THRIFT.i32);
    this.zigzag(value);
  }

  i64(id: number, value: number): void {
    this.#field(id, THRIFT.i64);
    this.zigzag(value);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.#field(id, THRIFT.binary);
    this.element(value);
  }

  /** Writes a struct member; `body` writes its fields. */
  struct(id: number, body: () => void): void {
    this.#field(id, THRIFT.struct);
    this.elementStruct(body);
  }

  list(id: number, type: number, count: number): void {
    this.#field(id, THRIFT.list);
    if (count < 15) this.#out.byte((count << 4) | type);
    else {
      this.#out.byte(0xf0 | type);
      this.#out.varint(count);
    }
  }

  /** A struct as an element of a list. */
  elementStruct(body: () => void): void {
    this.#lastIds.push(0);
    body();
    this.#out.byte(0);
    this.#lastIds.pop();
  }

  /** A text as an element of a list. */
  element(value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    this.#out.varint(bytes.length);
    this.#out.append(bytes);
  }

  /** An integer as an element of a list; at most 2^52 either way. */
  zigzag(value: number): void {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest > 127) {
      this.#out.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#out.byte(rest);
  }

  /** Ends the outermost struct. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#out.byte(0);
    return this.#out.copy();
  }

  #field(id: number, type: number): void {
    const depth = this.#lastIds.length - 1;
    const step = id - (this.#lastIds[depth] as number);
    this.#lastIds[depth] = id;
    if (step > 0 && step < 16) this.#out.byte((step << 4) | type);
    else {
      this.#out.byte(type);
      this.zigzag(id);
    }
  }
}
