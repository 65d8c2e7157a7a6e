/**
 * The sum types of the canonical ABI: option, result and enum. A discriminant of one byte, then the payload at the
 * alignment of the widest case. A discriminant beyond the cases is a fault of the guest.
 */
import { type AbiType, type FlatKind, type FlatValue, type LiftContext, type LowerContext, unit } from "./canonical-abi.ts";
import { guestFault } from "./guest-memory.ts";
import { assert } from "../../core/errors/assert.ts";

interface Case {
  readonly index: number;
  readonly payload: unknown;
}

const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;

/** Cases whose flat forms would have to be joined from different kinds do not occur in `plugin.wit`. */
function joinFlat(cases: readonly AbiType<unknown>[]): FlatKind[] {
  const joined: FlatKind[] = [];
  for (const type of cases) {
    type.flat.forEach((kind, position) => {
      assert(joined[position] === undefined || joined[position] === kind, "cases of a variant flatten to the same kinds");
      joined[position] = kind;
    });
  }
  return ["i32", ...joined];
}

function variant(cases: readonly AbiType<unknown>[]): AbiType<Case> {
  const align = Math.max(1, ...cases.map((type) => type.align));
  const payloadOffset = alignUp(1, align);
  const flat = joinFlat(cases);
  const caseAt = (index: number): AbiType<unknown> => {
    const type = cases[index];
    if (type === undefined) throw guestFault(`Case ${index} from the guest does not exist (${cases.length} cases)`);
    return type;
  };
  return {
    size: alignUp(payloadOffset + Math.max(0, ...cases.map((type) => type.size)), align),
    align,
    flat,
    load(from: LiftContext, pointer: number): Case {
      const index = from.memory.view(pointer, 1).getUint8(pointer);
      return { index, payload: caseAt(index).load(from, pointer + payloadOffset) };
    },
    store(to: LowerContext, pointer: number, value: Case): void {
      to.memory.view(pointer, 1).setUint8(pointer, value.index);
      caseAt(value.index).store(to, pointer + payloadOffset, value.payload);
    },
    lift(from, reader): Case {
      const index = Number(reader.next()) >>> 0;
      const type = caseAt(index);
      const payload = type.lift(from, reader);
      for (let unused = flat.length - 1 - type.flat.length; unused > 0; unused -= 1) reader.next();
      return { index, payload };
    },
    lower(to, value, values: FlatValue[]): void {
      const end = values.length + flat.length;
      values.push(value.index);
      caseAt(value.index).lower(to, value.payload, values);
      while (values.length < end) values.push(flat[values.length - (end - flat.length)] === "i64" ? 0n : 0);
    },
  };
}

function mapped<T>(inner: AbiType<Case>, map: { wrap: (value: T) => Case; unwrap: (value: Case) => T }): AbiType<T> {
  return {
    size: inner.size,
    align: inner.align,
    flat: inner.flat,
    load: (from, pointer) => map.unwrap(inner.load(from, pointer)),
    store: (to, pointer, value) => inner.store(to, pointer, map.wrap(value)),
    lift: (from, flat) => map.unwrap(inner.lift(from, flat)),
    lower: (to, value, flat) => inner.lower(to, map.wrap(value), flat),
  };
}

/** None is `undefined`. */
export function option<T>(type: AbiType<T>): AbiType<T | undefined> {
  return mapped<T | undefined>(variant([unit as AbiType<unknown>, type as AbiType<unknown>]), {
    wrap: (value) => ({ index: value === undefined ? 0 : 1, payload: value }),
    unwrap: (value) => (value.index === 0 ? undefined : (value.payload as T)),
  });
}

export type Result<T, E> = { readonly tag: "ok"; readonly val: T } | { readonly tag: "err"; readonly val: E };

export function result<T, E>(ok: AbiType<T>, error: AbiType<E>): AbiType<Result<T, E>> {
  return mapped<Result<T, E>>(variant([ok as AbiType<unknown>, error as AbiType<unknown>]), {
    wrap: (value) => ({ index: value.tag === "ok" ? 0 : 1, payload: value.val }),
    unwrap: (value) => (value.index === 0 ? { tag: "ok", val: value.payload as T } : { tag: "err", val: value.payload as E }),
  });
}

/** Cases by name, in WIT order. */
export function enumeration<N extends string>(...names: readonly N[]): AbiType<N> {
  return mapped<N>(variant(names.map(() => (unit as AbiType<unknown>))), {
    wrap: (name) => ({ index: names.indexOf(name), payload: undefined }),
    unwrap: (value) => names[value.index] as N,
  });
}
