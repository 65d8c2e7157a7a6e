/** Sources, below this folder, by the name of the file in `runtime-wasm/dist/`. */
export const KERNELS: Readonly<Record<string, string>>;
export function compileKernel(source: string): Promise<Uint8Array>;
