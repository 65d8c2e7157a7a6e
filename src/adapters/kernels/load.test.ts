import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadLineProtocolKernel } from "./load.ts";

const dist = new URL("../../../runtime-wasm/dist/", import.meta.url);

describe("loading the line protocol kernel", () => {
  let folder: string;
  let lines: string[];
  const load = (): ReturnType<typeof loadLineProtocolKernel> => loadLineProtocolKernel(pathToFileURL(`${folder}/`), { log: (level, message) => void lines.push(`${level}: ${message}`) });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kernel-"));
    lines = [];
    for (const name of ["line-protocol.wasm", "kernels.lock.json"]) copyFileSync(new URL(name, dist), join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("makes kernels with a memory of their own", async () => {
    const make = await load();
    expect(make?.()?.memory).not.toBe(make?.()?.memory);
    expect(lines).toEqual([]);
  });

  it("goes without a kernel that is not the locked one", async () => {
    const bytes = readFileSync(join(folder, "line-protocol.wasm"));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    writeFileSync(join(folder, "line-protocol.wasm"), bytes);
    expect(await load()).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^warn: The line protocol kernel cannot be used, .*: it has the hash [0-9a-f]{64}, the lock file says [0-9a-f]{64}$/)]);
  });

  it("goes without a missing kernel", async () => {
    rmSync(join(folder, "line-protocol.wasm"));
    expect(await load()).toBeUndefined();
    expect(lines).toHaveLength(1);
  });
});
