// Goal: every case of the HTTP conformance suite holds on every runtime and transport, over real sockets. Method: the suite is
// bundled and run by Node, Deno and Bun themselves, each with its own HTTP server in front of the app; see over-http.ts.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { PLACES } from "../support/places.ts";
import { COMMANDS, type RuntimeName } from "../support/server.ts";
import type { Run } from "./conformance/main.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CASES = join(ROOT, "test", "conformance", "http");
const FILES = readdirSync(CASES).filter((name) => name.endsWith(".test.ts"));
/** The suite's size when this was written; a case may be added, none may get lost on the way here. */
const CASES_MIN = 329;
const RUN_MS_MAX = 60_000;
const RESULT_BYTES_MAX = 10_000_000;

const folder = mkdtempSync(join(tmpdir(), "tidemark-conformance-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bundle(): Promise<void> {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  // The validator of OpenAPI documents reads its schemas from beside itself.
  symlinkSync(join(ROOT, "node_modules/@seriousme/openapi-schema-validator/schemas"), join(folder, "schemas"));
  await build({
    entryPoints: [join(ROOT, "test/runtimes/conformance/main.ts"), ...FILES.map((name) => join(CASES, name))],
    alias: { vitest: join(ROOT, "test/runtimes/conformance/vitest.ts") },
    outdir: folder,
    entryNames: "[name]",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["@uwsjs/core"],
    // Validators of documents are CommonJS and ask for `require`.
    banner: { js: 'import { createRequire as requireHere } from "node:module"; const require = requireHere(import.meta.url);' },
    logLevel: "warning",
  });
}

async function run(runtime: RuntimeName, server: string): Promise<Run> {
  const [command, ...prefix] = COMMANDS[runtime];
  const files = FILES.map((name) => join(folder, `${basename(name, ".ts")}.mjs`));
  const { stdout } = await promisify(execFile)(command as string, [...prefix, join(folder, "main.mjs"), server, ...files], { timeout: RUN_MS_MAX, maxBuffer: RESULT_BYTES_MAX, env: { ...process.env, NO_COLOR: "1" } });
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n{") + 1)) as Run;
}

await bundle();
const results = await Promise.all(PLACES.map(async ({ name, runtime, transport }) => [name, await run(runtime, transport)] as const));

describe.each(results)("conformance on %s", (_name, { outcomes, transcript }) => {
  it("ran every case", () => {
    expect(outcomes.length).toBeGreaterThanOrEqual(CASES_MIN);
    expect(outcomes.map(({ name }) => name)).toEqual(results[0]?.[1].outcomes.map(({ name }) => name));
  });

  it("answered every request with the same status, headers and body as the others", () => expect(transcript).toEqual(results[0]?.[1].transcript));

  it.each(outcomes.map(({ name, error }) => [name, error] as const))("%s", (_case, error) => expect(error).toBeUndefined());
});
