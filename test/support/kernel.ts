/** The committed line protocol kernel, for tests. */
import { readFileSync } from "node:fs";
import type { LineProtocolKernel } from "../../src/core/line-protocol/kernel.ts";
import { loadLineProtocolKernel } from "../../src/adapters/line-protocol-kernel/load.ts";

export const kernelFolder = new URL("../../runtime-wasm/dist/", import.meta.url);
export const kernelBytes = (): Uint8Array => readFileSync(new URL("line-protocol.wasm", kernelFolder));

/** A maker of kernels; throws when there is none. */
export async function kernelMaker(): Promise<() => LineProtocolKernel> {
  const log: string[] = [];
  const make = await loadLineProtocolKernel(kernelFolder, { log: (_level, message) => void log.push(message) });
  if (make === undefined) throw new Error(log.join("\n"));
  return () => {
    const kernel = make();
    if (kernel === undefined) throw new Error(log.join("\n"));
    return kernel;
  };
}
