/** What runtime-wasm/dist holds is what its lock file describes, and small enough to be committed. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";

interface LockedOutput {
  readonly bytes: number;
  readonly sha256: string;
  readonly compressed: { readonly file: string; readonly bytes: number; readonly sha256: string };
}
interface LockFile {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, LockedOutput>>;
}

const runtime = new URL("../../runtime-wasm/", import.meta.url);
const readJson = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, runtime), "utf8")) as T;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const lock = readJson<LockFile>("dist/lock.json");

describe("committed runtime", () => {
  test.each(Object.entries(lock.outputs))("%s has the locked hash, compressed and unpacked", (_name, output) => {
    const compressed = readFileSync(new URL(`dist/${output.compressed.file}`, runtime));
    expect(compressed.length).toBe(output.compressed.bytes);
    expect(sha256(compressed)).toBe(output.compressed.sha256);
    const unpacked = brotliDecompressSync(compressed);
    expect(unpacked.length).toBe(output.bytes);
    expect(sha256(unpacked)).toBe(output.sha256);
  });

  test("is small: module at most 3 MB, library at most 4 MB", () => {
    expect(lock.outputs["python.wasm"]?.compressed.bytes).toBeLessThanOrEqual(3_000_000);
    expect(lock.outputs["stdlib.zip"]?.compressed.bytes).toBeLessThanOrEqual(4_000_000);
  });

  test("was made from the pinned inputs", () => {
    const pinned = readJson<Readonly<Record<string, { file: string; sha256: string }>>>("inputs.lock.json");
    const expected = Object.fromEntries(Object.values(pinned).map(({ file, sha256: hash }) => [file, hash]));
    expect(lock.inputs).toEqual(expected);
  });
});
