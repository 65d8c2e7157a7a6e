/** The committed kernels, for tests. */
import { readFileSync } from "node:fs";
import type { LineProtocolKernel } from "../../src/core/line-protocol/kernel.ts";
import type { ParquetKernel } from "../../src/core/parquet/kernel-pages.ts";
import { loadLineProtocolKernel, loadParquetKernel, type MakeKernel } from "../../src/adapters/kernels/load.ts";
import type { LogSink } from "../../src/ports/log-sink.ts";

export const kernelFolder = new URL("../../runtime-wasm/dist/", import.meta.url);
export const kernelBytes = (name: string): Uint8Array => readFileSync(new URL(name, kernelFolder));

/** Makers of kernels; they throw when there are none. */
export const kernelMaker = (): Promise<() => LineProtocolKernel> => maker(loadLineProtocolKernel);
export const parquetKernelMaker = (): Promise<() => ParquetKernel> => maker(loadParquetKernel);

async function maker<Kernel>(load: (folder: URL, log: LogSink) => Promise<MakeKernel<Kernel> | undefined>): Promise<() => Kernel> {
  const log: string[] = [];
  const make = await load(kernelFolder, { log: (_level, message) => void log.push(message) });
  return () => {
    const kernel = make?.();
    if (kernel === undefined) throw new Error(log.join("\n"));
    return kernel;
  };
}
