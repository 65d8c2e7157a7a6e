/**
 * Makes the interop component from the unshared core module (runtime-wasm/dist/component-core.wasm.br) with jco: the same C
 * code and the same WIT world as the production module, seen through the component model.
 * From the command line: `node runtime-wasm/component.mjs OUT`.
 */
import { componentEmbed, componentNew, preview1AdapterReactorPath } from "@bytecodealliance/jco";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const readHere = (path) => readFileSync(new URL(path, import.meta.url));

/** Bytes of the component. jco's command `embed --wit` fails on paths in 1.34; its functions take the text. */
export async function makeComponent() {
  const binary = new Uint8Array(brotliDecompressSync(readHere("dist/component-core.wasm.br")));
  const embedded = await componentEmbed({ binary, witSource: readHere("wit/plugin.wit").toString(), world: "plugin-guest" });
  const adapter = new Uint8Array(readFileSync(preview1AdapterReactorPath()));
  return componentNew(embedded, [["wasi_snapshot_preview1", adapter]]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const component = await makeComponent();
  writeFileSync(process.argv[2], component);
  console.log(`${component.length} bytes`);
}
