import { describe, expect, it } from "vitest";
import { findByHash, isActive, looksLikeToken, type TokenDefinition } from "./token.ts";

const token = (id: number, hash: string, expiryMs?: bigint): TokenDefinition => ({ id, name: `t${id}`, hash, createdMs: 0n, ...(expiryMs === undefined ? {} : { expiryMs }) });

describe("tokens", () => {
  it("are found by their whole hash only", () => {
    const tokens = [token(1, "aa"), token(2, "ab"), token(3, "abc")];
    expect(findByHash(tokens, "ab")?.id).toBe(2);
    for (const hash of ["", "a", "abcd", "AB"]) expect(findByHash(tokens, hash)).toBeUndefined();
  });

  it("are active until their expiry, not at it (spec: http-api §3.3)", () => {
    expect(isActive(token(1, "aa"), 10n ** 15n)).toBe(true);
    expect(isActive(token(1, "aa", 1_000n), 999n)).toBe(true);
    expect(isActive(token(1, "aa", 1_000n), 1_000n)).toBe(false);
  });

  it("begin with apiv3_ and have something behind it", () => {
    expect(looksLikeToken("apiv3_x")).toBe(true);
    for (const text of ["apiv3_", "x", "", `apiv3_${"x".repeat(600)}`]) expect(looksLikeToken(text)).toBe(false);
  });
});
