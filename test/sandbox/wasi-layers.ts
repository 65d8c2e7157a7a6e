/** Three implementations of WASI preview 1 behind our `WasiLayer`: ours, `@wasmer/wasi` and `node:wasi`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { WASI as NodeWasi } from "node:wasi";
import { joinBytes } from "../../src/core/bytes/join.ts";
import { type TreeFile, buildFileTree } from "../../src/adapters/plugin-runtime/wasi/file-tree.ts";
import { type WasiLayer, createWasiLayer } from "../../src/adapters/plugin-runtime/wasi/layer.ts";

export interface LayerParts {
  readonly files: readonly TreeFile[];
  /** The interpreter's module. */
  readonly module: Uint8Array;
  /** An empty folder of the machine, for the layer that needs one. */
  readonly folder: string;
  print(bytes: Uint8Array): void;
}

const ENVIRONMENT = { TZ: "UTC" };

export function ownLayer({ files, print }: LayerParts): WasiLayer {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return createWasiLayer({
    root: buildFileTree(files),
    clockResolutionNs: 1_000n,
    environment: new Map(Object.entries(ENVIRONMENT)),
    realtimeNs: () => BigInt(Date.now()) * 1_000_000n,
    monotonicNs: () => process.hrtime.bigint(),
    random: (into) => void crypto.getRandomValues(into),
    output: (_stream, bytes) => print(bytes),
    sleep: (durationMs) => void Atomics.wait(pause, 0, 0, durationMs),
    beforeCall: () => undefined,
  });
}

export function nodeLayer({ files, folder }: LayerParts): WasiLayer {
  for (const file of files) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.bytes);
  }
  return {
    imports(memory) {
      const wasi = new NodeWasi({ version: "preview1", env: ENVIRONMENT, preopens: { "/": folder }, returnOnExit: false });
      const imports = wasi.getImportObject() as { wasi_snapshot_preview1: WebAssembly.ModuleImports };
      wasi.initialize({ exports: { memory } });
      return imports.wasi_snapshot_preview1;
    },
  };
}

/** An absolute deadline of `poll_oneoff` is taken for a duration here, so that Python's `time.sleep` would last for hours. */
export const NODE_SLEEPS = false;

/** Design §7: its `poll_oneoff` traps and `sock_accept` is missing; both are stubbed with "not supported". */
export async function wasmerLayer({ files, module }: LayerParts): Promise<WasiLayer> {
  const { MemFS, WASI, init } = await import("@wasmer/wasi");
  await init();
  const fs = new MemFS();
  const folders = new Set<string>();
  for (const file of files) {
    const names = file.path.split("/").slice(0, -1);
    names.forEach((_, index) => folders.add(`/${names.slice(0, index + 1).join("/")}`));
  }
  // Creating a folder twice lists it twice.
  for (const folder of folders) fs.createDir(folder);
  for (const file of files) {
    const opened = fs.open(`/${file.path}`, { read: true, write: true, create: true });
    opened.write(file.bytes);
    opened.flush();
  }
  return {
    imports(memory) {
      const wasi = new WASI({ env: ENVIRONMENT, args: [], fs, preopens: { "/": "/" } });
      const [exporting, instance] = instanceWithMemory(module, memory);
      const { wasi_snapshot_preview1: offered } = wasi.getImports(exporting) as { wasi_snapshot_preview1: WebAssembly.ModuleImports };
      wasi.instantiate(instance);
      const unsupported = (): number => 58;
      return { ...offered, poll_oneoff: unsupported, sock_accept: unsupported };
    },
  };
}

/**
 * An instance of the module on this memory that also exports it: the layer finds a memory among the exports of an
 * instance only. Nothing of it is ever called; the module's start function initialises a memory once.
 */
function instanceWithMemory(bytes: Uint8Array, memory: WebAssembly.Memory): readonly [WebAssembly.Module, WebAssembly.Instance] {
  const module = new WebAssembly.Module(exportMemory(bytes));
  const imports: Record<string, WebAssembly.ModuleImports> = { env: { memory } };
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function") (imports[from] ??= {})[name] = () => 0;
  }
  return [module, new WebAssembly.Instance(module, imports)];
}

const EXPORT_SECTION = 7;

/** The module with one more export, `memory`. */
function exportMemory(bytes: Uint8Array): Uint8Array {
  let at = 8;
  while (at < bytes.length) {
    const [size, body] = readNumber(bytes, at + 1);
    if (bytes[at] === EXPORT_SECTION) {
      const [count, entries] = readNumber(bytes, body);
      const name = new TextEncoder().encode("memory");
      const section = [...number(count + 1), ...bytes.subarray(entries, body + size), name.length, ...name, 2, 0];
      return joinBytes([bytes.subarray(0, at), [EXPORT_SECTION, ...number(section.length), ...section], bytes.subarray(body + size)]);
    }
    at = body + size;
  }
  throw new Error("the module exports nothing");
}

/** An unsigned LEB128 number and where it ends. */
function readNumber(bytes: Uint8Array, start: number): readonly [value: number, end: number] {
  let value = 0;
  for (let at = start, shift = 0; ; at += 1, shift += 7) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at + 1];
  }
}

function number(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(Math.floor(value / 0x80))];
}
