import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readArtefacts } from "./artefacts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-artefacts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(names: Readonly<Record<string, string>>, change: (sha256: string) => string = (sha256) => sha256): URL {
  const outputs = Object.fromEntries(
    Object.entries(names).map(([name, text]) => {
      writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text));
      const sha256 = change(createHash("sha256").update(text).digest("hex"));
      return [name, { sha256, compressed: { file: `${name}.br` } }];
    }),
  );
  writeFileSync(join(folder, "lock.json"), JSON.stringify({ outputs }));
  return pathToFileURL(`${folder}/`);
}

test("readArtefacts() decompresses what the lock file names", async () => {
  const { module, stdlib } = await readArtefacts(put({ "python.wasm": "module", "stdlib.zip": "library" }));
  expect([module, stdlib].map((bytes) => new TextDecoder().decode(bytes))).toEqual(["module", "library"]);
});

test("readArtefacts() refuses bytes with another hash", async () => {
  const url = put({ "python.wasm": "module", "stdlib.zip": "library" }, (sha256) => sha256.replace(/^./u, (digit) => (digit === "0" ? "1" : "0")));
  await expect(readArtefacts(url)).rejects.toMatchObject({ code: "server.misconfigured", message: expect.stringContaining("hash") });
});

test("readArtefacts() says what is missing", async () => {
  await expect(readArtefacts(put({ "python.wasm": "module" }))).rejects.toMatchObject({ code: "server.misconfigured", message: expect.stringContaining("stdlib.zip") });
});
