/**
 * Builds what runtime-wasm/dist holds: `node runtime-wasm/build.mjs [--update] [--work FOLDER]`. Archives come from
 * RUNTIME_INPUTS_DIR or, where it lacks one, from Debian. Steps already done in the work folder are not repeated. Without
 * --update the result is compared with dist/lock.json and nothing is changed; with it, dist, its lock and LICENSES are
 * replaced.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildNative, buildWasi } from "./build/cpython.mjs";
import { collectInputs } from "./build/inputs.mjs";
import { buildLibraries, unpack } from "./build/libraries.mjs";
import { collectLicenses } from "./build/licenses.mjs";
import { binaryenVersion, linkGuest } from "./build/link.mjs";
import { compressOutputs, differences } from "./build/lock.mjs";
import { run, sha256, step } from "./build/shell.mjs";
import { compilerVersions, wasmToolchain } from "./build/toolchain.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(HERE, "dist");
const LOCK_FILE = join(DIST, "lock.json");

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const hashOfFolder = (folder) => readdirSync(folder).sort().map((name) => [name, sha256(readFileSync(join(folder, name)))]);

function buildOutputs(workFolder, inputHashes, inputs, compilers) {
  const toolchain = wasmToolchain(workFolder);
  const patch = join(HERE, "cpython/poll-hook.patch");
  const base = { inputs: inputHashes, patch: sha256(readFileSync(patch)), compilers, flags: toolchain.flags };
  const out = join(workFolder, "out");
  step(workFolder, "unpack", base, join(workFolder, "sources"), () => unpack(workFolder, inputs, patch));
  step(workFolder, "libraries", base, join(workFolder, "prefix"), () => buildLibraries(workFolder, toolchain));
  step(workFolder, "native", base, join(workFolder, "native"), () => buildNative(workFolder));
  step(workFolder, "wasi", base, join(workFolder, "wasi"), () => buildWasi(workFolder, toolchain));
  mkdirSync(out, { recursive: true });
  const guest = join(HERE, "cpython");
  step(workFolder, "guest", [base, hashOfFolder(guest), binaryenVersion()], join(workFolder, "guest"), () =>
    linkGuest(workFolder, guest, toolchain, out),
  );
  run(workFolder, "stdlib", join(workFolder, "native/python"), [
    join(HERE, "build/make_stdlib.py"), join(workFolder, "sources/cpython/Lib"), join(HERE, "python"),
    join(workFolder, "sources/tzdata/usr/share/zoneinfo"), join(out, "stdlib.zip"),
  ]);
  return out;
}

function report(lock, out, update, workFolder) {
  if (update) {
    for (const { compressed } of Object.values(lock.outputs)) copyFileSync(join(out, compressed.file), join(DIST, compressed.file));
    writeFileSync(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`);
    collectLicenses(workFolder, join(HERE, "LICENSES"));
    console.log("runtime-wasm/dist, its lock file and LICENSES are replaced");
    return 0;
  }
  const found = existsSync(LOCK_FILE) ? differences(readJson(LOCK_FILE), lock) : ["there is no lock file yet"];
  for (const sentence of found) console.log(sentence);
  if (found.length === 0) console.log("The result is the same as in the lock file.");
  else console.log(`The result, in ${out}, differs; --update replaces runtime-wasm/dist.`);
  return found.length === 0 ? 0 : 1;
}

function main() {
  const { values } = parseArgs({ options: { update: { type: "boolean", default: false }, work: { type: "string" } } });
  const chosen = values.work ?? process.env.RUNTIME_WORK_DIR;
  const workFolder = chosen === undefined ? mkdtempSync(join(tmpdir(), "tidemark-runtime-")) : resolve(chosen);
  mkdirSync(workFolder, { recursive: true });
  console.log(`building in ${workFolder}`);
  const inputsLock = readJson(join(HERE, "inputs.lock.json"));
  const compilers = { ...compilerVersions(), binaryen: binaryenVersion() };
  const inputs = collectInputs(inputsLock, process.env.RUNTIME_INPUTS_DIR, workFolder);
  const inputHashes = Object.fromEntries(Object.values(inputsLock).map(({ file, sha256: hash }) => [file, hash]));
  const out = buildOutputs(workFolder, inputHashes, inputs, compilers);
  return report({ inputs: inputHashes, compilers, outputs: compressOutputs(out) }, out, values.update, workFolder);
}

try {
  process.exitCode = main();
} catch (problem) {
  console.error(problem.message);
  process.exitCode = 1;
}
