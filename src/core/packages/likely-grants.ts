/** What a plugin's code will be denied unless it is granted, as far as its imports tell. */
import { type OwnGrants, SYSTEM_GROUPS } from "../trigger/grants.ts";
import { pluginImports, type ScannedPlugin } from "./plugin-imports.ts";

/** `psutil` is built in; what it answers is granted by groups. Where a plugin connects to, imports do not tell. */
export function likelyGrants(code: ScannedPlugin): OwnGrants {
  const usesSystem = pluginImports(code).some(({ module }) => module === "psutil" || module.startsWith("psutil."));
  return usesSystem ? { sys: SYSTEM_GROUPS } : {};
}
