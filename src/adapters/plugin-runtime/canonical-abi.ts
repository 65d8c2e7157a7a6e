/**
 * The canonical ABI of the component model, as far as `plugin.wit` needs it: each WIT type is a descriptor that knows
 * its layout and moves values between JavaScript and a guest's memory. Lifting is bounded by a budget, since the
 * guest's bytes are hostile; lowering trusts the host's values but never the addresses the guest returns.
 * JavaScript shapes are jco's: camelCase records, `undefined` for none, `{ tag, val }` for results.
 */
import { type GuestMemory, encodeText, guestFault } from "./guest-memory.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { CUT_MARK, GUEST_MESSAGE_BYTES_MAX, GUEST_MESSAGE_ITEMS_MAX, GUEST_VALUE_BYTES_MAX } from "./limits.ts";

export type FlatKind = "i32" | "i64" | "f64";
export type FlatValue = number | bigint;
/** More flat parameters than this travel through memory. */
export const FLAT_PARAMETERS_MAX = 16;

/** What one message of a guest may still cost. Beyond it `HostCallError` kind `limit`, before anything is copied. */
export class LiftBudget {
  #bytes: number;
  #items: number;

  constructor(bytesMax: number = GUEST_MESSAGE_BYTES_MAX, itemsMax: number = GUEST_MESSAGE_ITEMS_MAX) {
    this.#bytes = bytesMax;
    this.#items = itemsMax;
  }

  takeBytes(count: number): void {
    const left = this.#bytes;
    this.#bytes -= count;
    if (count > GUEST_VALUE_BYTES_MAX || this.#bytes < 0) throw tooLarge(`a value of ${count} bytes is larger than the ${Math.max(0, left)} bytes that are allowed`);
  }

  takeItems(count: number): void {
    const left = this.#items;
    this.#items -= count;
    if (this.#items < 0) throw tooLarge(`a list of ${count} items is longer than the ${Math.max(0, left)} that are allowed`);
  }
}

const tooLarge = (message: string): HostCallError => new HostCallError("limit", message);

export interface LiftContext {
  readonly memory: GuestMemory;
  readonly budget: LiftBudget;
}

export interface LowerContext {
  readonly memory: GuestMemory;
  /** The guest's `cabi_realloc` for new memory; its answer is checked by whoever writes there. */
  allocate(size: number, align: number): number;
  /** Where the one byte list of this value already lies (address, size); it is not copied again. */
  readonly placed?: readonly [pointer: number, byteLength: number];
}

/** Flat values in order of the ABI. */
export interface FlatReader {
  next(): FlatValue;
}

export interface AbiType<T> {
  readonly size: number;
  readonly align: number;
  readonly flat: readonly FlatKind[];
  load(from: LiftContext, pointer: number): T;
  store(to: LowerContext, pointer: number, value: T): void;
  lift(from: LiftContext, flat: FlatReader): T;
  lower(to: LowerContext, value: T, flat: FlatValue[]): void;
}

export type ValueOf<D> = D extends AbiType<infer T> ? T : never;

const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;
/** Guest addresses arrive as signed 32-bit numbers. */
const unsigned = (value: FlatValue): number => Number(value) >>> 0;

function scalar<T>(
  size: number,
  kind: FlatKind,
  access: { get: (view: DataView, at: number) => T; set: (view: DataView, at: number, value: T) => void },
  flat: { lift: (value: FlatValue) => T; lower: (value: T) => FlatValue },
): AbiType<T> {
  return {
    size,
    align: size,
    flat: [kind],
    load: (from, pointer) => access.get(from.memory.view(pointer, size), pointer),
    store: (to, pointer, value) => access.set(to.memory.view(pointer, size), pointer, value),
    lift: (_from, values) => flat.lift(values.next()),
    lower: (_to, value, values) => void values.push(flat.lower(value)),
  };
}

export const bool: AbiType<boolean> = scalar<boolean>(
  1,
  "i32",
  { get: (view, at) => view.getUint8(at) !== 0, set: (view, at, value) => view.setUint8(at, value ? 1 : 0) },
  { lift: (value) => Number(value) !== 0, lower: (value) => (value ? 1 : 0) },
);
export const u8: AbiType<number> = scalar<number>(
  1,
  "i32",
  { get: (view, at) => view.getUint8(at), set: (view, at, value) => view.setUint8(at, value) },
  { lift: (value) => unsigned(value) & 0xff, lower: (value) => value },
);
export const u16: AbiType<number> = scalar<number>(
  2,
  "i32",
  { get: (view, at) => view.getUint16(at, true), set: (view, at, value) => view.setUint16(at, value, true) },
  { lift: (value) => unsigned(value) & 0xffff, lower: (value) => value },
);
export const u32: AbiType<number> = scalar<number>(
  4,
  "i32",
  { get: (view, at) => view.getUint32(at, true), set: (view, at, value) => view.setUint32(at, value, true) },
  { lift: unsigned, lower: (value) => value | 0 },
);
export const u64: AbiType<bigint> = scalar<bigint>(
  8,
  "i64",
  { get: (view, at) => view.getBigUint64(at, true), set: (view, at, value) => view.setBigUint64(at, value, true) },
  { lift: (value) => BigInt.asUintN(64, BigInt(value)), lower: (value) => BigInt.asIntN(64, value) },
);
export const s64: AbiType<bigint> = scalar<bigint>(
  8,
  "i64",
  { get: (view, at) => view.getBigInt64(at, true), set: (view, at, value) => view.setBigInt64(at, value, true) },
  { lift: (value) => BigInt.asIntN(64, BigInt(value)), lower: (value) => BigInt.asIntN(64, value) },
);
export const f64: AbiType<number> = scalar<number>(
  8,
  "f64",
  { get: (view, at) => view.getFloat64(at, true), set: (view, at, value) => view.setFloat64(at, value, true) },
  { lift: Number, lower: (value) => value },
);

/** The absent payload of `result<_, …>`. */
export const unit: AbiType<undefined> = {
  size: 0,
  align: 1,
  flat: [],
  load: () => undefined,
  store: () => undefined,
  lift: () => undefined,
  lower: () => undefined,
};

/** Anything that travels as address and count. */
function pointed<T>(
  read: (from: LiftContext, pointer: number, count: number) => T,
  place: (to: LowerContext, value: T) => readonly [pointer: number, count: number],
): AbiType<T> {
  return {
    size: 8,
    align: 4,
    flat: ["i32", "i32"],
    load(from, pointer) {
      const view = from.memory.view(pointer, 8);
      return read(from, view.getUint32(pointer, true), view.getUint32(pointer + 4, true));
    },
    store(to, pointer, value) {
      const [address, count] = place(to, value);
      const view = to.memory.view(pointer, 8);
      view.setUint32(pointer, address, true);
      view.setUint32(pointer + 4, count, true);
    },
    lift: (from, flat) => read(from, unsigned(flat.next()), unsigned(flat.next())),
    lower: (to, value, flat) => void flat.push(...place(to, value)),
  };
}

function placeBytes(to: LowerContext, bytes: Uint8Array): readonly [number, number] {
  if (bytes.length === 0) return [1, 0];
  const pointer = to.allocate(bytes.length, 1);
  to.memory.write(pointer, bytes);
  return [pointer, bytes.length];
}

/** `list<u8>`: one copy each way. */
export const bytes: AbiType<Uint8Array> = pointed<Uint8Array>((from, pointer, count) => {
  from.memory.check(pointer, count);
  from.budget.takeBytes(count);
  return from.memory.read(pointer, count);
}, (to, value) => to.placed ?? placeBytes(to, value));

/** `list<u8>` of at most `bytesMax` bytes. */
export function boundedBytes(bytesMax: number): AbiType<Uint8Array> {
  return {
    ...bytes,
    load(from, pointer) {
      const count = from.memory.view(pointer, 8).getUint32(pointer + 4, true);
      if (count > bytesMax) throw tooLarge(`${count} bytes are larger than the ${bytesMax} that are allowed`);
      return bytes.load(from, pointer);
    },
  };
}

export const string: AbiType<string> = pointed<string>(
  (from, pointer, count) => {
    from.memory.check(pointer, count);
    from.budget.takeBytes(count);
    return from.memory.text(pointer, count);
  },
  (to, value) => placeBytes(to, encodeText(value)),
);

/** A `string` of which at most `bytesMax` bytes are looked at; used where a plugin may shout without being an error. */
export function clippedString(bytesMax: number): AbiType<string> {
  return pointed<string>(
    (from, pointer, count) => {
      from.memory.check(pointer, count);
      const text = from.memory.textLenient(pointer, Math.min(count, bytesMax));
      return count > bytesMax ? text + CUT_MARK : text;
    },
    (to, value) => placeBytes(to, encodeText(value)),
  );
}

export function list<T>(element: AbiType<T>): AbiType<T[]> {
  return pointed<T[]>(
    (from, pointer, count) => {
      from.memory.check(pointer, count * element.size);
      from.budget.takeItems(count);
      if (count > 0 && pointer % element.align !== 0) throw guestFault(`List at address ${pointer} is not aligned`);
      return Array.from({ length: count }, (_, index) => element.load(from, pointer + index * element.size));
    },
    (to, values) => {
      if (values.length === 0) return [element.align, 0];
      const pointer = to.allocate(values.length * element.size, element.align);
      values.forEach((value, index) => element.store(to, pointer + index * element.size, value));
      return [pointer, values.length];
    },
  );
}

type RecordOf<F> = { [K in keyof F]: ValueOf<F[K]> };

/** Fields in WIT order. */
export function record<F extends { readonly [name: string]: unknown }>(fields: F): AbiType<RecordOf<F>> {
  const layout: { name: string; type: AbiType<unknown>; offset: number }[] = [];
  let end = 0;
  let align = 1;
  for (const [name, field] of Object.entries(fields)) {
    const type = field as AbiType<unknown>;
    const offset = alignUp(end, type.align);
    layout.push({ name, type, offset });
    end = offset + type.size;
    align = Math.max(align, type.align);
  }
  const collect = (read: (field: (typeof layout)[number]) => unknown): RecordOf<F> =>
    Object.fromEntries(layout.map((field) => [field.name, read(field)])) as RecordOf<F>;
  return {
    size: alignUp(end, align),
    align,
    flat: layout.flatMap((field) => field.type.flat),
    load: (from, pointer) => collect((field) => field.type.load(from, pointer + field.offset)),
    store: (to, pointer, value) => {
      for (const field of layout) field.type.store(to, pointer + field.offset, value[field.name as keyof F]);
    },
    lift: (from, flat) => collect((field) => field.type.lift(from, flat)),
    lower: (to, value, flat) => {
      for (const field of layout) field.type.lower(to, value[field.name as keyof F], flat);
    },
  };
}

export function tuple<A, B>(first: AbiType<A>, second: AbiType<B>): AbiType<[A, B]> {
  const inner = record({ first, second });
  return {
    ...inner,
    load: (from, pointer) => pair(inner.load(from, pointer)),
    store: (to, pointer, value) => inner.store(to, pointer, { first: value[0], second: value[1] }),
    lift: (from, flat) => pair(inner.lift(from, flat)),
    lower: (to, value, flat) => inner.lower(to, { first: value[0], second: value[1] }, flat),
  };
}

const pair = <A, B>(value: { first: A; second: B }): [A, B] => [value.first, value.second];
