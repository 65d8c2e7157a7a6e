/** A plugin store in which every name is a plugin without code, for tests whose runtime is scripted. */
import type { PluginCode } from "../ports/plugin-runtime.ts";
import type { PluginStore } from "../ports/plugin-store.ts";

const load = async (fileName: string): Promise<PluginCode> => ({ fileName, source: undefined, module: "m", files: new Map(), revision: 1n });

export const anyPlugin: PluginStore = {
  load,
  newest: load,
  beside: async () => undefined,
  manifest: async () => undefined,
  bundledManifest: async () => undefined,
  write: async () => undefined,
  replaceFolder: async () => undefined,
  shown: async () => ({ files: [], leftOut: 0 }),
  files: async () => [],
};
