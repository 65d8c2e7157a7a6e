import type { PluginCode, ShownFile } from "./plugin-runtime.ts";

/**
 * Where plugin files come from: the plugin folder with the bundled plugins as a read-only overlay below it, and for
 * names that start with `gh:` a plugin repository.
 */
export interface PluginStore {
  /**
   * Code of a file or of a directory with `__init__.py`, read again whenever a file changed; of a `gh:` name what was
   * fetched last. Throws `plugin.not_found`, `plugin.path_outside`, `plugin.repository` or `plugin.folder_only` with the
   * reference's texts (spec: processing-engine §14).
   */
  load(fileName: string): Promise<PluginCode>;
  /**
   * As `load`, but a `gh:` name is asked for at the repository first. `pin` makes what came the code that `load` gives
   * from now on. Without an answer from the repository what was fetched last is given.
   */
  newest(fileName: string, options: { readonly pin: boolean }): Promise<PluginCode>;
  /**
   * Text of a file beside the plugin's code, at most `MANIFEST_BYTES_MAX`; undefined: there is none, or the repository of a
   * `gh:` name does not answer. Throws `plugin.not_found` and `plugin.path_outside`.
   */
  beside(fileName: string, name: string): Promise<string | undefined>;
  /** Text of the manifest.toml beside the plugin's code; undefined: there is none. */
  manifest(fileName: string): Promise<string | undefined>;
  /** The same of a plugin that comes with the server; undefined for every other one, also for a user's file of that name. */
  bundledManifest(fileName: string): Promise<string | undefined>;
  /** Creates or replaces a file below the plugin folder; parent folders are made. Never touches the bundled ones. */
  write(fileName: string, content: Uint8Array): Promise<void>;
  /**
   * Puts a directory plugin in place of the one of that name, whole or not at all; files that are not given are gone.
   * Keys are paths in the directory, with `/`.
   */
  replaceFolder(fileName: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /** What a plugin may read of the plugin folder beside its code. Missing names are none; never throws. */
  shown(wanted: WantedFiles): Promise<ShownFiles>;
  /** Files of one plugin, for `system.plugin_files`; none for `gh:` names and missing files. */
  files(fileName: string): Promise<readonly PluginFile[]>;
}

export interface WantedFiles {
  /** Files and folders, `*` for the whole plugin folder. */
  readonly granted: readonly string[];
  /** Files, never folders. */
  readonly named: readonly string[];
}

export interface ShownFiles {
  readonly files: readonly ShownFile[];
  /** Files that are not shown because they are too large or too many. */
  readonly leftOut: number;
}

export interface PluginFile {
  readonly fileName: string;
  readonly filePath: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
