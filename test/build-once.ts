/** Vitest's global set-up: the program and its workers, built once per test run. Tests with threads or processes load them. */

interface BuildScript {
  buildAll(options: { readonly clean: boolean }): Promise<void>;
}

export default async function buildOnce(): Promise<void> {
  const script = (await import(new URL("../scripts/build.mjs", import.meta.url).href)) as BuildScript;
  // Not cleaned: a server that somebody runs from dist/ goes on.
  await script.buildAll({ clean: false });
}
