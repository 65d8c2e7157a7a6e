/** Where the package's own files are, both from the source and from the built program. */

/** Folder of the package, ending with "/". */
export function packageRoot(): URL {
  const here = import.meta.url;
  if (here.endsWith(".ts")) return new URL("../../", here);
  return new URL(here.slice(0, here.lastIndexOf("/dist/") + 1));
}

/** A worker's built file; workers are bundles of their own, also when the rest runs from source. */
export const workerEntry = (name: "disk-worker" | "encode-worker" | "executor-worker" | "executor-process"): URL => new URL(`dist/${name}.js`, packageRoot());
