/** Copies the licences of everything that gets into the outputs, as found in the sources, to runtime-wasm/LICENSES. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Name in LICENSES, file below the work folder's `sources`; `comment`: the file's first comment is the licence. */
const LICENSES = [
  { name: "cpython.txt", file: "cpython/LICENSE" },
  { name: "cpython-incorporated-software.rst", file: "cpython/Doc/license.rst" },
  { name: "mpdecimal.txt", file: "cpython/Modules/_decimal/libmpdec/mpdecimal.h", comment: true },
  { name: "expat.txt", file: "cpython/Modules/expat/COPYING" },
  { name: "hacl-star.txt", file: "cpython/Modules/_hacl/Hacl_Hash_SHA2.c", comment: true },
  { name: "blake2.txt", file: "cpython/Modules/_blake2/impl/blake2b-ref.c", comment: true },
  { name: "zlib.txt", file: "zlib/LICENSE" },
  { name: "bzip2.txt", file: "bzip2/LICENSE" },
  { name: "xz.txt", file: "xz/COPYING" },
  { name: "xz-0BSD.txt", file: "xz/COPYING.0BSD" },
  { name: "wasi-libc.txt", file: "wasi-libc/usr/share/doc/wasi-libc/copyright" },
  { name: "tzdata.txt", file: "tzdata/usr/share/doc/tzdata/copyright" },
];
const COMPILER_RUNTIME = { name: "llvm-compiler-rt.txt", path: "/usr/share/doc/libclang-rt-19-dev-wasm32/copyright" };

export function collectLicenses(workFolder, targetFolder) {
  mkdirSync(targetFolder, { recursive: true });
  for (const { name, file, comment } of LICENSES) {
    const text = readFileSync(join(workFolder, "sources", file), "utf8");
    writeFileSync(join(targetFolder, name), comment === true ? firstComment(text) : text);
  }
  writeFileSync(join(targetFolder, COMPILER_RUNTIME.name), readFileSync(COMPILER_RUNTIME.path));
}

function firstComment(text) {
  const start = text.indexOf("/*");
  return `${text.slice(start, text.indexOf("*/", start) + 2)}\n`;
}
