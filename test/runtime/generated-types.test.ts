/** The checked-in types of the contract are those that jco makes from the WIT today. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

function filesBelow(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

test("regenerating the types gives the same bytes", { timeout: 60_000 }, () => {
  const scratch = mkdtempSync(join(tmpdir(), "generated-types-"));
  try {
    execFileSync(process.execPath, [join(root, "runtime-wasm/generate-types.mjs"), join(scratch, "out")]);
    const fresh = filesBelow(join(scratch, "out"));
    expect(fresh.size).toBeGreaterThan(0);
    expect(filesBelow(join(root, "src/adapters/plugin-runtime/generated"))).toEqual(fresh);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
