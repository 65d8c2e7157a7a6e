// `npm run bench [name …]`: builds the program, then runs the named workloads (all without a name). Each prints one JSON
// line per metric on stdout: {"bench","metric","value","unit",…}. Workloads have fixed seeds.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildAll } from "../scripts/build.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(here).filter((name) => name.endsWith(".bench.ts")).map((name) => name.replace(".bench.ts", "")).sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`No such workload: ${unknown.join(", ")}. There are: ${names.join(", ")}\n`);
  process.exit(2);
}
await buildAll();
for (const name of wanted.length > 0 ? wanted : names) {
  const outfile = fileURLToPath(new URL(`../dist/bench/${name}.js`, import.meta.url));
  await build({ entryPoints: [`${here}${name}.bench.ts`], outfile, bundle: true, platform: "node", target: "node20", format: "esm", external: ["@duckdb/*"], logLevel: "error" });
  await import(outfile);
}
process.exit(0);
