/**
 * Bundles the product with esbuild into dist/: the command line and server (split into chunks, so that a client command
 * does not load the server), the library entry, and each worker as a file of its own. `buildEntry` builds one of them.
 * The interpreter's artefacts are not copied: bundles find them as ../runtime-wasm/dist/, which the package ships too.
 */
import { existsSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, root));

/** Every entry by the name of its file in dist/. */
export const ENTRIES = {
  "executor-worker": "src/adapters/plugin-runtime/executor-worker.ts",
  "executor-process": "src/adapters/plugin-runtime/executor-process.ts",
  "disk-worker": "src/adapters/wal-log/disk-worker.ts",
  "encode-worker": "src/adapters/kernels/encode-worker.ts",
  influxdb3: "src/cli/main.ts",
  mod: "src/platform/library.ts",
};
/** The library's types import nothing, so their source is their declaration. */
const TYPES_SOURCE = "src/platform/library-api.ts";
const OPEN_DECLARATION = `
/** Opens a database in a folder, created when it is missing, or in memory (\`memory:\`, gone when it is closed). */
export declare function open(location: string, options?: OpenOptions): Promise<Database>;
`;
/** Loaded by URL as a thread or process of its own: never split into chunks. */
const WORKERS = new Set(["executor-worker", "executor-process", "disk-worker", "encode-worker"]);
const COMMANDS = new Set(["influxdb3"]);

const common = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Native add-ons and optional peers are resolved at run time.
  external: ["@duckdb/*", "@uwsjs/core"],
  logLevel: "warning",
  sourcemap: "linked",
  sourcesContent: false,
};

/** Builds `dist/<name>.js` alone, into `outdir` (absolute) when given. */
export async function buildEntry(name, outdir = path("dist/")) {
  await build({ ...common, entryPoints: { [name]: path(ENTRIES[name]) }, outdir });
}

/** Makes a bundle runnable as a command. A banner would mark its chunks too. */
async function makeExecutable(file) {
  const text = await readFile(file, "utf8");
  if (!text.startsWith("#!")) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}

/** Builds everything; `clean` empties dist/ first, so that no chunk of an older build stays. */
export async function buildAll({ clean = true } = {}) {
  if (clean) await rm(path("dist/"), { recursive: true, force: true });
  const present = Object.keys(ENTRIES).filter((name) => existsSync(path(ENTRIES[name])));
  const workers = present.filter((name) => WORKERS.has(name));
  const programs = present.filter((name) => !WORKERS.has(name));
  await Promise.all(workers.map((name) => buildEntry(name)));
  if (programs.length > 0) {
    await build({
      ...common,
      entryPoints: Object.fromEntries(programs.map((name) => [name, path(ENTRIES[name])])),
      outdir: path("dist/"),
      splitting: true,
      chunkNames: "chunks/[name]-[hash]",
    });
  }
  await writeFile(path("dist/mod.d.ts"), (await readFile(path(TYPES_SOURCE), "utf8")) + OPEN_DECLARATION);
  await Promise.all(programs.filter((name) => COMMANDS.has(name)).map((name) => makeExecutable(path(`dist/${name}.js`))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
