import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDatabaseError } from "../../core/errors/database-error.ts";
import { encodeFrame, FrameReader } from "./frames.ts";

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const shared = (bytes: readonly number[]): SharedArrayBuffer => {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
};
/** Comparable: shared buffers as lists. */
const plain = (value: unknown): unknown =>
  value instanceof SharedArrayBuffer ? ["shared", ...new Uint8Array(value)]
  : value instanceof Uint8Array ? ["bytes", ...value]
  : Array.isArray(value) ? value.map(plain)
  : typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
  : value;

const leaf = fc.oneof(
  fc.string(), fc.constantFrom("#", "#n:1", "#b:0:1", "#s:", "#u:"), fc.integer(), fc.bigInt(), fc.boolean(),
  fc.uint8Array({ maxLength: 30 }), fc.array(fc.nat(255), { maxLength: 30 }).map(shared),
);
const value = fc.dictionary(fc.string().filter((name) => name !== "__proto__" && name !== "toJSON"), fc.oneof(leaf, fc.array(leaf)));

describe("frames", () => {
  test("give back what was sent, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (values, cuts) => {
        const bytes = joined(values.flatMap((sent) => encodeFrame(sent)));
        const reader = new FrameReader();
        const received: unknown[] = [];
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const size = cuts[index % cuts.length] as number;
          received.push(...reader.push(bytes.slice(at, at + size)));
          at += size;
        }
        expect(received.map(plain)).toEqual(values.map(plain));
      }),
    );
  });

  test("that are damaged give values or a DatabaseError, and never wait for more than is allowed", () => {
    const whole = joined(encodeFrame({ a: new Uint8Array(9), b: shared([1, 2]), c: 5n, d: "#x" }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (damage) => {
        const bytes = whole.slice();
        for (const [at, byte] of damage) bytes[at] = byte;
        try {
          new FrameReader().push(bytes);
        } catch (error) {
          if (!isDatabaseError(error)) throw error;
        }
      }),
    );
    expect(() => new FrameReader().push(Uint8Array.of(0, 0, 0, 255, 0, 0, 0, 0))).toThrow(/are too many/);
  });
});
