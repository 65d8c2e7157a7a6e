/** Compression of the outputs and the lock file that says what they are made from. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { sha256 } from "./shell.mjs";

/** Bytes; the package carries these files. */
const COMPRESSED_BYTES_MAX = { "python.wasm": 3_145_728, "stdlib.zip": 4_194_304, "component-core.wasm": 3_145_728 };

/** Writes `<name>.br` beside each output and describes all of them for the lock. Throws when one is too big. */
export function compressOutputs(folder) {
  const outputs = {};
  for (const [name, bytesMax] of Object.entries(COMPRESSED_BYTES_MAX)) {
    const bytes = readFileSync(join(folder, name));
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
    const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const compressed = brotliCompressSync(bytes, { params });
    if (compressed.length > bytesMax) throw new Error(`${name} is ${compressed.length} bytes compressed, at most ${bytesMax} may be committed`);
    writeFileSync(join(folder, `${name}.br`), compressed);
    outputs[name] = {
      bytes: bytes.length,
      sha256: sha256(bytes),
      compressed: { file: `${name}.br`, bytes: compressed.length, sha256: sha256(compressed) },
    };
  }
  return outputs;
}

/** Sentences about every value in which two locks differ; empty: they are the same. */
export function differences(expected, found, path = "") {
  if (typeof expected !== "object" || typeof found !== "object") {
    return expected === found ? [] : [`${path}: the lock file says ${JSON.stringify(expected)}, this build ${JSON.stringify(found)}`];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) => differences(expected[name], found[name], path === "" ? name : `${path}.${name}`));
}
