// `npm run fuzz:decoder -- --work FOLDER [--inputs N] [--seed S]`: builds row-decoder-fuzz.c against the native CPython that
// `npm run build:runtime -- --work FOLDER` left there, and feeds it. Needs clang-19 and libclang-rt-19-dev. Exit status 0: nothing found.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { buildSync } from "esbuild";

const { values } = parseArgs({ options: { work: { type: "string" }, inputs: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } } });
if (values.work === undefined) {
  console.error("--work: the folder that build:runtime was given");
  process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const [native, source, scratch] = [join(values.work, "native"), join(values.work, "sources/cpython"), join(values.work, "fuzz")];
const corpus = join(scratch, "corpus");
rmSync(corpus, { recursive: true, force: true });
mkdirSync(corpus, { recursive: true });

function run(file, parameters, env = {}) {
  const { status, error } = spawnSync(file, parameters, { stdio: "inherit", cwd: scratch, env: { ...process.env, ...env } });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

/** Whole batches of our own encoder: every type, with and without absent values, of no row, few rows, more than one pass. */
async function writeSeeds() {
  const bundle = join(scratch, "table-batch.mjs");
  buildSync({ entryPoints: [join(root, "src/core/columns/table-batch.ts")], outfile: bundle, bundle: true, format: "esm", platform: "node", logLevel: "error" });
  const { encodeTableBatch } = await import(pathToFileURL(bundle).href);
  const texts = (count, prefix) => {
    const all = Array.from({ length: count }, (_, index) => Buffer.from(`${prefix}${index % 5 === 4 ? "é😀" : index}`));
    const offsets = new Uint32Array(count + 1);
    all.forEach((text, index) => (offsets[index + 1] = offsets[index] + text.length));
    return { offsets, bytes: Buffer.concat(all) };
  };
  for (const rows of [0, 1, 6, 66]) {
    for (const sparse of [false, true]) {
      const valid = sparse ? Uint8Array.from({ length: rows }, (_, row) => Number(row % 3 !== 0)) : undefined;
      const columns = [
        { name: "host", type: "tag", valid, indexes: Uint32Array.from({ length: rows }, (_, row) => row % 4), ...texts(4, "host-") },
        { name: "value", type: "float64", valid, values: Float64Array.from({ length: rows }, (_, row) => row * 0.37) },
        { name: "count", type: "int64", valid, values: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row) - (1n << 62n)) },
        { name: "total", type: "uint64", values: BigUint64Array.from({ length: rows }, (_, row) => (1n << 63n) + BigInt(row)) },
        { name: "text", type: "utf8", valid, ...texts(rows, "text ") },
        { name: "ok", type: "bool", valid, values: Uint8Array.from({ length: rows }, (_, row) => row % 2) },
        ...(sparse ? [{ name: "none", type: "null" }] : []),
        { name: "time", type: "time", values: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)) },
      ];
      const batch = Buffer.from(encodeTableBatch({ databaseId: 1, tableId: 1, rowCount: rows, timeMin: 0n, timeMax: BigInt(rows), columns }));
      for (let control = 0; control < 8; control += 1) {
        writeFileSync(join(corpus, `${rows}-${sparse}-${control}`), Buffer.concat([Buffer.from([control, control, 0, 0]), batch]));
        if (rows === 6) writeFileSync(join(corpus, `two-${sparse}-${control}`), Buffer.concat([Buffer.from([control, 1, 0, 0]), batch, batch]));
      }
    }
  }
}

await writeSeeds();
const program = join(scratch, "row-decoder-fuzz");
run("clang-19", [
  "-O1", "-g", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-fno-omit-frame-pointer", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
  "-I", join(source, "Include"), "-I", join(source, "Include/internal"), "-I", native, join(here, "row-decoder-fuzz.c"), join(native, "libpython3.13.a"), "-Wl,-export-dynamic", "-ldl", "-lm", "-lpthread", "-o", program,
]);
run(program, [`-runs=${values.inputs}`, `-seed=${values.seed}`, "-max_len=4500", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", `-artifact_prefix=${scratch}/`, corpus], {
  FUZZ_PYTHON_LIBRARY: join(source, "Lib"),
  // Python's own statics hold memory at the end; a byte read or written too far is what counts.
  ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16",
});
