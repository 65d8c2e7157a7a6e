/** How a child process of ours is started on each runtime, with no more rights than the runtime can withhold. */
import { fileURLToPath } from "node:url";
import { RUNTIME } from "./listen.ts";
import { packageRoot, workerEntry } from "./paths.ts";

export function processCommand(name: "executor-process"): { readonly file: string; readonly arguments: readonly string[] } {
  const entry = fileURLToPath(workerEntry(name));
  if (RUNTIME !== "deno") return { file: process.execPath, arguments: [entry] };
  const folder = fileURLToPath(new URL("dist/", packageRoot()));
  // Deno denies what is not named: no network, no environment, no other files.
  return { file: process.execPath, arguments: ["run", "--quiet", "--no-lock", "--no-config", "--no-prompt", `--allow-read=${folder}`, entry] };
}
