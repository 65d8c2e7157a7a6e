// `npm run build:kernels`: compiles the kernels from AssemblyScript into runtime-wasm/dist/ and writes their hashes to
// kernels.lock.json. The same sources and compiler give the same bytes on every machine; `compileKernel` is for the test.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const here = new URL("./", import.meta.url);
const dist = new URL("../dist/", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("../../node_modules/assemblyscript/package.json", import.meta.url), "utf8"));

/** Sources and memory in pages of 64 KiB; a kernel's memory never grows. */
export const KERNELS = {
  "line-protocol.wasm": { source: "line-protocol/kernel.ts", pages: 512 },
  "parquet.wasm": { source: "parquet/kernel.ts", pages: 80 },
};

/** The bytes of one kernel. */
export async function compileKernel({ source, pages }) {
  let binary;
  const { error, stderr } = await asc.main(
    [source, "--outFile", "out.wasm", "-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--initialMemory", `${pages}`, "--maximumMemory", `${pages}`, "--use", "abort="],
    {
      readFile: async (name, base) => await readFile(new URL(name, here.href), "utf8").catch(() => null),
      writeFile: (name, contents) => void (name.endsWith(".wasm") && (binary = contents)),
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(`${source} does not compile\n${stderr.toString()}`);
  return binary;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outputs = {};
  for (const [name, kernel] of Object.entries(KERNELS)) {
    const bytes = await compileKernel(kernel);
    await writeFile(new URL(name, dist), bytes);
    outputs[name] = { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  await writeFile(new URL("kernels.lock.json", dist), `${JSON.stringify({ compiler: `assemblyscript ${version}`, outputs }, undefined, 2)}\n`);
}
