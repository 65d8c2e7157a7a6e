/**
 * Tokens as values (spec: http-api §3.3): what the catalog keeps of one, and the rules of its text. A token itself is
 * never kept, only the SHA-512 of its whole text.
 */

/** The operator: exists once, cannot be deleted, only made anew. */
export const OPERATOR_TOKEN_NAME = "_admin";

export const TOKEN_PREFIX = "apiv3_";

/** Random bytes behind the prefix, written as base64url. */
export const TOKEN_RANDOM_BYTES = 64;

/** Longer texts are no tokens of ours and are not hashed. */
export const TOKEN_LENGTH_MAX = 512;

/** Live tokens of a server: each request looks through all of them. */
export const TOKENS_MAX = 1_000;

export const TOKEN_NAME_LENGTH_MAX = 255;

export interface TokenDefinition {
  readonly id: number;
  readonly name: string;
  /** SHA-512 of the text, 128 hex digits. */
  readonly hash: string;
  /** Milliseconds since the Unix epoch, as the reference shows them. */
  readonly createdMs: bigint;
  readonly createdBy?: number;
  readonly updatedMs?: bigint;
  readonly updatedBy?: number;
  /** Milliseconds since the Unix epoch; absent: never. */
  readonly expiryMs?: bigint;
}

export const isActive = (token: TokenDefinition, nowMs: bigint): boolean => token.expiryMs === undefined || token.expiryMs > nowMs;

export const looksLikeToken = (text: string): boolean => text.startsWith(TOKEN_PREFIX) && text.length > TOKEN_PREFIX.length && text.length <= TOKEN_LENGTH_MAX;

/** The token whose hash this is. Every hash is compared to its last digit, so that the time tells nothing about any of them. */
export function findByHash(tokens: Iterable<TokenDefinition>, hash: string): TokenDefinition | undefined {
  let found: TokenDefinition | undefined;
  for (const token of tokens) if (sameText(token.hash, hash)) found = token;
  return found;
}

function sameText(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
