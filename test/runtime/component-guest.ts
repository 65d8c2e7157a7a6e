/**
 * The guest as a component, run through jco's transpiled output on jco's own WASI: the contract's second implementation.
 * Everything but the guest's code is foreign to our host.
 */
import { transpile } from "@bytecodealliance/jco";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import type * as HostInterface from "../../src/adapters/plugin-runtime/generated/interfaces/tidemark-plugin-host.js";
import type * as PluginGuest from "../../src/adapters/plugin-runtime/generated/plugin-guest.js";
import { makeComponent } from "../../runtime-wasm/component.mjs";

export type Guest = typeof PluginGuest;
export type Host = typeof HostInterface;
export type { Failure, RunContext } from "../../src/adapters/plugin-runtime/generated/plugin-guest.js";

const HOST_INTERFACE = "tidemark:plugin/host";
const dist = new URL("../../runtime-wasm/dist/", import.meta.url);

type Instantiate = (
  getCoreModule: (path: string) => Promise<WebAssembly.Module>,
  imports: Readonly<Record<string, unknown>>,
) => Promise<Guest>;

export interface ComponentGuest {
  readonly guest: Guest;
  dispose(): void;
}

/** Instantiates and boots the component with `host` for its host calls. */
export async function startComponentGuest(host: Host): Promise<ComponentGuest> {
  const scratch = mkdtempSync(join(tmpdir(), "component-guest-"));
  const { files } = await transpile(await makeComponent(), { name: "guest", instantiation: "async", noTypescript: true });
  for (const [name, bytes] of Object.entries(files)) writeFile(join(scratch, "js", name), bytes);
  writeFile(join(scratch, "js/package.json"), '{"type":"module"}');
  writeFile(join(scratch, "root/lib/python313.zip"), brotliDecompressSync(readFileSync(new URL("stdlib.zip.br", dist))));
  const { instantiate } = (await import(pathToFileURL(join(scratch, "js/guest.js")).href)) as { instantiate: Instantiate };
  const wasi = new WASIShim({ sandbox: { preopens: { "/": join(scratch, "root") }, env: {}, args: [], enableNetwork: false } });
  const imports = { ...wasi.getImportObject(), [HOST_INTERFACE]: host };
  const guest = await instantiate((path) => WebAssembly.compile(readFileSync(join(scratch, "js", path))), imports);
  guest.boot();
  guest.resume({ environment: [], writeBytes: 67_108_864, responseBytes: 10_485_760, cacheBytes: 67_108_864 });
  return { guest, dispose: () => rmSync(scratch, { recursive: true, force: true }) };
}

function writeFile(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
