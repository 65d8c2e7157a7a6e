/**
 * Generates the TypeScript types of the contract (runtime-wasm/wit) with jco:
 * `node runtime-wasm/generate-types.mjs [OUT]`, by default into src/adapters/plugin-runtime/generated.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(HERE, "../src/adapters/plugin-runtime/generated");
const jco = join(dirname(createRequire(import.meta.url).resolve("@bytecodealliance/jco")), "jco.js");

rmSync(out, { recursive: true, force: true });
execFileSync(process.execPath, [jco, "types", join(HERE, "wit"), "--world-name", "plugin-guest", "--quiet", "-o", out], { stdio: "inherit" });
