/** Vitest's global set-up: the worker bundles that tests with real threads load, built once per test run. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface BuildScript {
  readonly ENTRIES: Readonly<Record<string, string>>;
  buildEntry(name: string): Promise<void>;
}

const WORKERS = ["executor-worker", "disk-worker"] as const;

export default async function buildOnce(): Promise<void> {
  const script = (await import(new URL("../scripts/build.mjs", import.meta.url).href)) as BuildScript;
  const present = WORKERS.filter((name) => {
    const source = script.ENTRIES[name];
    return source !== undefined && existsSync(fileURLToPath(new URL(`../${source}`, import.meta.url)));
  });
  await Promise.all(present.map((name) => script.buildEntry(name)));
}
