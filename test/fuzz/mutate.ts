/** Mutations of bytes for fuzzing: cheap, from a seed, and rich in what the format in question cares about. */
import { joinBytes } from "../../src/core/bytes/join.ts";

export type Random = () => number;

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

export const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

/** Zero to eight changes; `tokens` are put in whole. */
export function mutate(bytes: Uint8Array, random: Random, tokens: readonly Uint8Array[]): Uint8Array {
  let out = bytes;
  for (let count = below(random, 9); count > 0; count--) out = change(out, random, tokens);
  return out;
}

function change(bytes: Uint8Array, random: Random, tokens: readonly Uint8Array[]): Uint8Array {
  const at = below(random, bytes.length + 1);
  const size = 1 + below(random, random() < 0.5 ? 4 : 40);
  switch (below(random, 7)) {
    case 0:
      return set(bytes, at, below(random, 256));
    case 1:
      return at < bytes.length ? set(bytes, at, (bytes[at] as number) ^ (1 << below(random, 8))) : bytes;
    case 2:
      return join(bytes.subarray(0, at), pick(random, tokens), bytes.subarray(at));
    case 3:
      return overwrite(bytes, at, pick(random, tokens));
    case 4:
      return join(bytes.subarray(0, at), bytes.subarray(at + size));
    case 5: {
      const from = below(random, bytes.length + 1);
      return join(bytes.subarray(0, at), bytes.subarray(from, from + size), bytes.subarray(at));
    }
    default:
      return random() < 0.2 ? bytes.subarray(0, at) : bytes;
  }
}

function set(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = bytes.slice();
  out[at] = value;
  return out;
}

function overwrite(bytes: Uint8Array, at: number, token: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out.set(token.subarray(0, Math.max(0, out.length - at)), Math.min(at, out.length));
  return out;
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  return joinBytes(pieces);
}
