/** Decoding of untrusted JSON values, one member at a time; every mismatch is a `catalog.corrupt`. */
import { DatabaseError } from "../errors/database-error.ts";

export function corruptCatalog(what: string, cause?: unknown): DatabaseError {
  return new DatabaseError("catalog.corrupt", {
    message: `Catalog record is damaged: ${what}`,
    hint: "restore the catalog folder of this node from a backup",
    ...(cause === undefined ? {} : { cause }),
  });
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw corruptCatalog(`${what} is not an object`);
  return value as JsonObject;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw corruptCatalog(`${what} is not a list`);
  return value;
}

export function text(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== "string") throw corruptCatalog(`'${name}' is not a text`);
  return value;
}

export function flag(object: JsonObject, name: string): boolean {
  const value = object[name];
  if (typeof value !== "boolean") throw corruptCatalog(`'${name}' is not true or false`);
  return value;
}

/** A safe integer that is not negative. */
export function whole(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw corruptCatalog(`'${name}' is not a whole number`);
  return value;
}

/** The same, or undefined when absent. */
export function optionalWhole(object: JsonObject, name: string): number | undefined {
  return object[name] === undefined ? undefined : whole(object, name);
}

/** A 64-bit integer written as text, or undefined when absent. */
export function optionalBigint(object: JsonObject, name: string): bigint | undefined {
  const value = object[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !/^-?\d{1,20}$/.test(value)) throw corruptCatalog(`'${name}' is not an integer`);
  return BigInt(value);
}

export function oneOf<T extends string>(object: JsonObject, name: string, words: readonly T[]): T {
  const value = text(object, name);
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw corruptCatalog(`'${name}' has the unknown value '${value}'`);
  return word;
}
