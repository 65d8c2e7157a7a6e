/** Changes to the catalog's tokens, and their JSON form. */
import { assert } from "../errors/assert.ts";
import type { TokenDefinition } from "../tokens/token.ts";
import { asObject, corruptCatalog, type JsonObject, optionalBigint, text, whole } from "./json.ts";
import type { CatalogState } from "./state.ts";

export type TokenOp =
  | { readonly kind: "create-token"; readonly token: TokenDefinition }
  | { readonly kind: "replace-token"; readonly name: string; readonly hash: string; readonly updatedMs: bigint; readonly updatedBy?: number }
  | { readonly kind: "delete-token"; readonly name: string };

export function applyTokenOp(state: CatalogState, op: TokenOp): CatalogState {
  const tokens = new Map(state.tokens);
  switch (op.kind) {
    case "create-token":
      assert(!tokens.has(op.token.name), "a created token is new");
      tokens.set(op.token.name, op.token);
      return { ...state, tokens, lastTokenId: Math.max(state.lastTokenId, op.token.id) };
    case "replace-token": {
      const old = tokens.get(op.name);
      assert(old !== undefined, "a replaced token exists");
      const { kind: _, ...replacement } = op;
      tokens.set(op.name, { ...old, ...replacement });
      return { ...state, tokens };
    }
    case "delete-token":
      assert(tokens.delete(op.name), "a deleted token exists");
      return { ...state, tokens };
  }
}

export function encodeToken({ createdMs, updatedMs, expiryMs, ...rest }: TokenDefinition): JsonObject {
  return { ...rest, createdMs: createdMs.toString(), updatedMs: updatedMs?.toString(), expiryMs: expiryMs?.toString() };
}

export function decodeToken(value: unknown): TokenDefinition {
  const object = asObject(value, "token");
  const updatedMs = optionalBigint(object, "updatedMs");
  const expiryMs = optionalBigint(object, "expiryMs");
  return {
    id: whole(object, "id"),
    name: text(object, "name"),
    hash: hashOf(object),
    createdMs: requiredBigint(object, "createdMs"),
    ...optionalId(object, "createdBy"),
    ...(updatedMs === undefined ? {} : { updatedMs }),
    ...optionalId(object, "updatedBy"),
    ...(expiryMs === undefined ? {} : { expiryMs }),
  };
}

export function encodeTokenOp(op: TokenOp): unknown {
  if (op.kind === "create-token") return { ...op, token: encodeToken(op.token) };
  return op.kind === "replace-token" ? { ...op, updatedMs: op.updatedMs.toString() } : op;
}

export function decodeTokenOp(kind: TokenOp["kind"], object: JsonObject): TokenOp {
  if (kind === "create-token") return { kind, token: decodeToken(object["token"]) };
  if (kind === "delete-token") return { kind, name: text(object, "name") };
  return { kind, name: text(object, "name"), hash: hashOf(object), updatedMs: requiredBigint(object, "updatedMs"), ...optionalId(object, "updatedBy") };
}

function hashOf(object: JsonObject): string {
  const hash = text(object, "hash");
  if (!/^[0-9a-f]{128}$/.test(hash)) throw corruptCatalog("a token's hash is not 128 hex digits");
  return hash;
}

function requiredBigint(object: JsonObject, name: string): bigint {
  const value = optionalBigint(object, name);
  if (value === undefined) throw corruptCatalog(`'${name}' is missing`);
  return value;
}

const optionalId = <Name extends string>(object: JsonObject, name: Name): { readonly [Key in Name]?: number } =>
  object[name] === undefined ? {} : ({ [name]: whole(object, name) } as { readonly [Key in Name]?: number });
