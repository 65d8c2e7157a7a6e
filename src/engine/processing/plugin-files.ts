/** Uploads and updates of plugin files (spec: processing-engine §4, §14.5). */
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { PluginStore } from "../../ports/plugin-store.ts";
import type { ProcessingCatalog } from "./processing-engine.ts";

const INIT = "__init__.py";

export class PluginFiles {
  readonly #plugins: Pick<PluginStore, "load" | "write" | "replaceFolder">;
  readonly #catalog: Pick<ProcessingCatalog, "databases">;

  constructor(plugins: Pick<PluginStore, "load" | "write" | "replaceFolder">, catalog: Pick<ProcessingCatalog, "databases">) {
    this.#plugins = plugins;
    this.#catalog = catalog;
  }

  /** `name` is a path below the plugin folder. */
  async create(name: string, content: Uint8Array): Promise<void> {
    await this.#plugins.write(name, content);
  }

  /** Replaces the file of a trigger, or `__init__.py` of its directory. */
  async update(triggerName: string, content: Uint8Array): Promise<void> {
    const code = await this.#codeOf(triggerName);
    if (code.source !== undefined) return this.#plugins.write(code.fileName, content);
    // The whole directory: a bundled one must not be hidden by a folder with one file.
    await this.#plugins.replaceFolder(code.fileName, new Map([...relativeFiles(code), [INIT, content]]));
  }

  /** Replaces the directory of a trigger as a whole. */
  async updateFolder(triggerName: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const code = await this.#codeOf(triggerName);
    if (code.source !== undefined) {
      throw new DatabaseError("request.invalid", {
        message: `Processing engine error: plugin error: '${code.fileName}' is a single file and cannot become a directory`,
        hint: "upload the directory under a name of its own and create a trigger for it",
      });
    }
    await this.#plugins.replaceFolder(code.fileName, files);
  }

  /** Of the first trigger of this name in any database, as the reference has it (spec §5). */
  async #codeOf(triggerName: string): Promise<PluginCode> {
    for (const database of this.#catalog.databases()) {
      const trigger = database.triggers.get(triggerName);
      if (trigger === undefined) continue;
      if (trigger.pluginFileName.startsWith("gh:")) {
        throw new DatabaseError("request.invalid", {
          message: `Processing engine error: plugin error: '${trigger.pluginFileName}' comes from a plugin repository and cannot be replaced`,
          hint: "upload the file under a name of its own and create a trigger for it",
        });
      }
      return this.#plugins.load(trigger.pluginFileName);
    }
    throw new DatabaseError("plugin.not_found", {
      message: `Processing engine error: plugin error: Plugin not found: ${triggerName}`,
      hint: "name an existing trigger",
    });
  }
}

/** A package's files as paths in its directory. */
function relativeFiles(code: PluginCode): [string, Uint8Array][] {
  return [...code.files].map(([path, content]) => [path.slice(code.module.length + 1), content]);
}
