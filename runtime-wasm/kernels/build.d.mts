export interface KernelSource {
  /** Below this folder. */
  readonly source: string;
  /** Memory in pages of 64 KiB. */
  readonly pages: number;
}

/** By the name of the file in `runtime-wasm/dist/`. */
export const KERNELS: Readonly<Record<string, KernelSource>>;
export function compileKernel(kernel: KernelSource): Promise<Uint8Array>;
