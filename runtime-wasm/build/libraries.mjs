/** Unpacks the inputs and builds zlib, bzip2 and liblzma for WebAssembly into `prefix`. */
import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./shell.mjs";

const ZLIB = ["adler32", "compress", "crc32", "deflate", "infback", "inffast", "inflate", "inftrees", "trees", "uncompr", "zutil"];
const BZIP2 = ["blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib"];
const XZ_OPTIONS = [
  "--host=wasm32-wasi", "--disable-threads", "--disable-shared", "--enable-static", "--disable-xz", "--disable-xzdec",
  "--disable-lzmadec", "--disable-lzmainfo", "--disable-scripts", "--disable-doc", "--disable-nls",
];

/** `sources/<name>` for the archives, `sysroot` for wasi-libc, `zones` for the time zones. */
export function unpack(workFolder, inputs, pollPatch) {
  for (const name of ["cpython", "zlib", "bzip2", "xz"]) {
    const folder = join(workFolder, "sources", name);
    mkdirSync(folder, { recursive: true });
    run(workFolder, "unpack", "tar", ["xf", inputs[name], "-C", folder, "--strip-components=1"]);
  }
  for (const name of ["wasi-libc", "tzdata"]) {
    run(workFolder, "unpack", "dpkg", ["-x", inputs[name], join(workFolder, "sources", name)]);
  }
  for (const part of ["lib", "include"]) {
    cpSync(join(workFolder, "sources/wasi-libc/usr", part), join(workFolder, "sysroot", part), { recursive: true });
  }
  const cpython = join(workFolder, "sources/cpython");
  run(workFolder, "unpack", "patch", ["-p1", "-i", pollPatch], { cwd: cpython });
  // The patch changes the generated file with its source: make must not generate it again.
  run(workFolder, "unpack", "touch", ["Python/generated_cases.c.h"], { cwd: cpython });
}

export function buildLibraries(workFolder, toolchain) {
  buildArchive(workFolder, toolchain, "zlib", ZLIB, "libz.a", ["zlib.h", "zconf.h"]);
  buildArchive(workFolder, toolchain, "bzip2", BZIP2, "libbz2.a", ["bzlib.h"]);
  const cwd = join(workFolder, "sources/xz");
  const environment = toolchain.environment;
  run(workFolder, "xz", "./configure", ["-q", ...XZ_OPTIONS, `--prefix=${join(workFolder, "prefix")}`], { cwd, environment });
  run(workFolder, "xz", "make", ["-C", "src/liblzma", "install"], { cwd, environment });
}

function buildArchive(workFolder, { compiler, flags }, name, units, archive, headers) {
  const cwd = join(workFolder, "sources", name);
  for (const folder of ["lib", "include"]) mkdirSync(join(workFolder, "prefix", folder), { recursive: true });
  const [command, ...leading] = compiler;
  for (const unit of units) run(workFolder, name, command, [...leading, ...flags, "-c", `${unit}.c`, "-o", `${unit}.o`], { cwd });
  run(workFolder, name, "llvm-ar-19", ["rcs", join(workFolder, "prefix/lib", archive), ...units.map((unit) => `${unit}.o`)], { cwd });
  for (const header of headers) copyFileSync(join(cwd, header), join(workFolder, "prefix/include", header));
}
