/** The committed kernels are what their sources and the pinned compiler give, need nothing from the host and cannot grow. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileKernel, KERNELS } from "../../runtime-wasm/kernels/build.mjs";
import { KERNEL_MEMORY_BYTES } from "../../src/core/line-protocol/kernel.ts";
import { PARQUET_KERNEL_BYTES } from "../../src/core/parquet/kernel-pages.ts";
import { kernelBytes, kernelFolder, kernelMaker, parquetKernelMaker } from "../support/kernel.ts";

interface LockFile {
  readonly outputs: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const lock = JSON.parse(readFileSync(new URL("kernels.lock.json", kernelFolder), "utf8")) as LockFile;

describe("committed kernels", () => {
  test.each(Object.entries(KERNELS))("%s has the locked hash and compiles to the same bytes again", async (name, source) => {
    const bytes = readFileSync(new URL(name, kernelFolder));
    expect(bytes.length).toBe(lock.outputs[name]?.bytes);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(lock.outputs[name]?.sha256);
    expect(Buffer.compare(bytes, Buffer.from(await compileKernel(source)))).toBe(0);
  });

  test("import nothing and have a memory of fixed size", async () => {
    for (const name of Object.keys(KERNELS)) {
      expect(WebAssembly.Module.imports(new WebAssembly.Module(kernelBytes(name)))).toEqual([]);
      expect(kernelBytes(name).length).toBeLessThan(20_000);
    }
    expect((await kernelMaker())().memory.byteLength).toBe(KERNEL_MEMORY_BYTES);
    expect((await parquetKernelMaker())().memory.byteLength).toBe(PARQUET_KERNEL_BYTES);
  });
});
