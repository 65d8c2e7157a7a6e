/**
 * Compiles the guest (runtime-wasm/cpython) and links it twice with the interpreter: `python.wasm` imports a shared memory
 * that the host owns, `component-core.wasm` has a memory of its own, which the component model asks for.
 */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { POLL_DEFINE } from "./cpython.mjs";
import { run } from "./shell.mjs";

const MEMORY = ["-z", "stack-size=4194304", "--stack-first", "--initial-memory=20971520"];
const SHARED = [
  "--shared-memory", "--import-memory", "--max-memory=4294967296", "--no-check-features", "--export=__stack_pointer",
  "--export=warm_up", "--export=poll_clock_address", "--export=heap_break",
];
const LIBRARIES = [
  "-lz", "-lbz2", "-llzma", "-lwasi-emulated-signal", "-lwasi-emulated-getpid", "-lwasi-emulated-process-clocks", "-ldl", "-lpthread",
  "-lm",
];
// Named one by one: with --all-features binaryen writes an import encoding that V8 refuses.
const FEATURES = ["simd", "bulk-memory", "sign-ext", "nontrapping-float-to-int", "mutable-globals", "multivalue"];

const require = createRequire(import.meta.url);

export const binaryenVersion = () => require("binaryen/package.json").version;

export function linkGuest(workFolder, sourceFolder, toolchain, outFolder) {
  const objects = compileGuest(workFolder, sourceFolder, toolchain);
  link(workFolder, toolchain, objects, SHARED, "python", outFolder, [...FEATURES, "threads"]);
  link(workFolder, toolchain, objects, [], "component-core", outFolder, FEATURES);
}

function compileGuest(workFolder, sourceFolder, { compiler, flags }) {
  const include = join(workFolder, "sources/cpython/Include");
  const includes = [join(workFolder, "wasi"), include, join(include, "internal"), join(include, "internal/mimalloc")];
  const [command, ...leading] = compiler;
  const units = readdirSync(sourceFolder).filter((name) => name.endsWith(".c")).sort();
  return units.map((unit) => {
    const object = join(workFolder, "guest", `${unit}.o`);
    const parameters = [...leading, ...flags, "-Wall", POLL_DEFINE, "-DNDEBUG", `-ffile-prefix-map=${sourceFolder}=guest`];
    run(workFolder, "guest", command, [...parameters, ...includes.map((path) => `-I${path}`), "-c", join(sourceFolder, unit), "-o", object]);
    return object;
  });
}

function link(workFolder, { compiler, flags }, objects, linkOptions, name, outFolder, features) {
  const wasi = join(workFolder, "wasi");
  const archives = [
    "libpython3.13.a", "Modules/_decimal/libmpdec/libmpdec.a", "Modules/expat/libexpat.a", "Modules/_hacl/libHacl_Hash_SHA2.a",
  ].map((archive) => join(wasi, archive));
  const linked = join(workFolder, "guest", `${name}.wasm`);
  const forLinker = [...MEMORY, "--gc-sections", "--strip-all", ...linkOptions].map((option) => `-Wl,${option}`);
  const [command, ...leading] = compiler;
  run(workFolder, "guest", command, [
    ...leading, ...flags, "-mexec-model=reactor", ...objects, ...archives, `-L${join(workFolder, "prefix/lib")}`, ...LIBRARIES, ...forLinker,
    "-o", linked,
  ]);
  const wasmOpt = join(dirname(require.resolve("binaryen/package.json")), "bin/wasm-opt");
  const enabled = features.map((feature) => `--enable-${feature}`);
  run(workFolder, "guest", process.execPath, [wasmOpt, "-O3", ...enabled, linked, "-o", join(outFolder, `${name}.wasm`)]);
}
