/** The compilers and how they are called. Paths of the build machine must not get into the outputs. */
import { firstLineOf } from "./shell.mjs";

/** 1 January 2026: goes into the interpreter's build date. */
const SOURCE_DATE_EPOCH = "1767225600";
const TARGET = "wasm32-wasi";
const FEATURES = "-msimd128 -mbulk-memory -msign-ext -mnontrapping-fptoint -mmutable-globals -mmultivalue";
const DEBIAN_PACKAGES = "clang-19 lld-19 llvm-19 libclang-rt-19-dev-wasm32 build-essential zlib1g-dev";

/** Versions for the lock file. Throws with the command that installs what is missing. */
export function compilerVersions() {
  const versions = {
    clang: firstLineOf("clang-19", ["--version"]),
    lld: firstLineOf("wasm-ld-19", ["--version"]),
    llvmAr: firstLineOf("llvm-ar-19", ["--version"]),
    cc: firstLineOf("cc", ["--version"]),
  };
  const missing = Object.entries(versions).filter(([, version]) => version === undefined);
  if (missing.length > 0) throw new Error(`a compiler is missing; on Debian: apt-get install ${DEBIAN_PACKAGES}`);
  return { clang: versions.clang, lld: versions.lld };
}

/** Flags and environment for compiling to WebAssembly below `workFolder`. */
export function wasmToolchain(workFolder) {
  const compiler = ["clang-19", `--target=${TARGET}`, `--sysroot=${workFolder}/sysroot`];
  const flags = `-O3 ${FEATURES} -fno-exceptions -fvisibility=hidden -g0 -ffile-prefix-map=${workFolder}=.`.split(" ");
  return {
    compiler,
    flags,
    environment: {
      CC: compiler.join(" "),
      CPP: `${compiler.join(" ")} -E`,
      AR: "llvm-ar-19",
      RANLIB: "llvm-ranlib-19",
      CFLAGS: flags.join(" "),
      SOURCE_DATE_EPOCH,
      PKG_CONFIG_PATH: "",
      PKG_CONFIG_LIBDIR: `${workFolder}/prefix/lib/pkgconfig`,
    },
  };
}

export const nativeEnvironment = { SOURCE_DATE_EPOCH };
