import type { PluginCode } from "./plugin-runtime.ts";

/** Where plugin files come from: the plugin folder, with the bundled plugins as a read-only overlay below it. */
export interface PluginStore {
  /**
   * Code of a file or of a directory with `__init__.py`, read again whenever a file changed.
   * Throws `plugin.not_found` or `plugin.path_outside` with the reference's texts (spec: processing-engine §14).
   */
  load(fileName: string): Promise<PluginCode>;
  /** Text of the manifest.toml beside the plugin's code; undefined: there is none. */
  manifest(fileName: string): Promise<string | undefined>;
  /** Creates or replaces a file below the plugin folder; parent folders are made. Never touches the bundled ones. */
  write(fileName: string, content: Uint8Array): Promise<void>;
  /** Files of one plugin, for `system.plugin_files`. */
  files(fileName: string): Promise<readonly PluginFile[]>;
}

export interface PluginFile {
  readonly fileName: string;
  readonly filePath: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
