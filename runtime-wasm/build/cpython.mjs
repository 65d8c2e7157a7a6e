/**
 * Builds CPython twice: natively, because the cross build and the byte code need an interpreter of the same version, and
 * as a static library for WASI preview 1. configure's host is wasm32-wasip1, the compiler's target wasm32-wasi: the name
 * under which Debian installs the C library and the compiler's run-time library.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { nativeEnvironment } from "./toolchain.mjs";
import { run } from "./shell.mjs";

// Relative, so that no path of this machine gets into the interpreter.
const CONFIGURE = "../sources/cpython/configure";
const jobs = `-j${process.env.RUNTIME_BUILD_JOBS ?? availableParallelism()}`;
const WASI_OPTIONS = [
  "--host=wasm32-wasip1", "--build=x86_64-pc-linux-gnu", "--with-build-python=../native/python", "--with-pymalloc",
  "--without-mimalloc", "--disable-ipv6", "--disable-test-modules", "--without-doc-strings", "--with-ensurepip=no", "--prefix=/py",
];
/** The interruption hook of poll-hook.patch. */
export const POLL_DEFINE = "-DPY_WASI_POLL=1";

export function buildNative(workFolder) {
  const cwd = join(workFolder, "native");
  const environment = nativeEnvironment;
  run(workFolder, "native", CONFIGURE, ["-q", "--disable-test-modules", "--with-ensurepip=no", "CFLAGS=-O2"], { cwd, environment });
  run(workFolder, "native", "make", [jobs], { cwd, environment });
}

export function buildWasi(workFolder, toolchain) {
  const cwd = join(workFolder, "wasi");
  const prefix = join(workFolder, "prefix");
  const environment = {
    ...toolchain.environment,
    CONFIG_SITE: join(workFolder, "sources/cpython/Tools/wasm/config.site-wasm32-wasi"),
    HOSTRUNNER: "node",
    ZLIB_CFLAGS: `-I${prefix}/include`,
    ZLIB_LIBS: `-L${prefix}/lib -lz`,
    BZIP2_CFLAGS: `-I${prefix}/include`,
    BZIP2_LIBS: `-L${prefix}/lib -lbz2`,
    LIBLZMA_CFLAGS: `-I${prefix}/include -DLZMA_API_STATIC`,
    LIBLZMA_LIBS: `-L${prefix}/lib -llzma`,
  };
  run(workFolder, "wasi", CONFIGURE, ["-q", ...WASI_OPTIONS], { cwd, environment });
  run(workFolder, "wasi", "make", [jobs, "libpython3.13.a", `EXTRA_CFLAGS=${POLL_DEFINE}`], { cwd, environment });
}
