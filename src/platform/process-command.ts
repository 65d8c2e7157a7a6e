/** How a child process of ours is started on each runtime, with no more rights than the runtime can withhold. */
import { fileURLToPath } from "node:url";
import { RUNTIME } from "./listen.ts";
import { packageRoot, workerEntry } from "./paths.ts";

/** `readable`: folders that it may read beside the program's own. */
export function processCommand(name: "executor-process", readable: readonly string[]): { readonly file: string; readonly arguments: readonly string[] } {
  const entry = fileURLToPath(workerEntry(name));
  if (RUNTIME !== "deno") return { file: process.execPath, arguments: [entry] };
  // A comma in a name is written twice.
  const folders = [fileURLToPath(new URL("dist/", packageRoot())), ...readable].map((folder) => folder.replaceAll(",", ",,")).join(",");
  // Deno denies what is not named: no network, no environment, no other files.
  return { file: process.execPath, arguments: ["run", "--quiet", "--no-lock", "--no-config", "--no-prompt", `--allow-read=${folders}`, entry] };
}
