import { describe, expect, it } from "vitest";
import type { DatabaseDefinition } from "../../core/catalog/definitions.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { GapTable } from "./gap-table.ts";
import { LogTable } from "./log-table.ts";
import type { ProcessingCatalog } from "./processing-engine.ts";
import { ProcessingSystemTables } from "./system-tables.ts";

const database = (name: string, triggers: readonly (readonly [name: string, file: string])[]): Pick<DatabaseDefinition, "name" | "triggers"> => ({
  name,
  triggers: new Map(triggers.map(([trigger, pluginFileName], id) => [trigger, {
    id, name: trigger, pluginFileName, specification: "all_tables", arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false,
  }])),
});

function tables(): ProcessingSystemTables {
  const databases = [database("one", [["watch", "a.py"], ["gone", "missing.py"]]), database("two", [["pack", "folder"]])] as DatabaseDefinition[];
  const catalog = { databases: () => databases, database: (name: string) => databases.find((known) => known.name === name) };
  const file = (fileName: string, folder: string) => ({ fileName, filePath: `${folder}/${fileName}`, sizeBytes: 12, modifiedMs: 1_700_000_000_000 });
  const files: Record<string, ReturnType<typeof file>[]> = { "a.py": [file("a.py", "/p")], folder: [file("__init__.py", "/p/folder"), file("lib/b.py", "/p/folder")] };
  return new ProcessingSystemTables(catalog as unknown as ProcessingCatalog, new LogTable(new VirtualClock(), 10), new GapTable(new VirtualClock()), {
    files: (name) => Promise.resolve(files[name] ?? []),
  });
}

describe("system.plugin_files (processing-engine §17)", () => {
  it("lists trigger by file over all databases, without files that are missing", async () => {
    const system = tables();
    await system.prepare("_internal");
    const table = system.table("_internal", "plugin_files");
    expect(table?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "plugin_name utf8", "file_name utf8", "file_path utf8", "size_bytes int64", "last_modified int64",
    ]);
    expect(table?.rows).toEqual([
      ["watch", "a.py", "/p/a.py", 12n, 1_700_000_000_000n],
      ["pack", "__init__.py", "/p/folder/__init__.py", 12n, 1_700_000_000_000n],
      ["pack", "lib/b.py", "/p/folder/lib/b.py", 12n, 1_700_000_000_000n],
    ]);
  });

  it("is in _internal only", async () => {
    const system = tables();
    await system.prepare("one");
    expect(system.names("_internal")).toContain("plugin_files");
    expect(system.names("one")).not.toContain("plugin_files");
    expect(system.table("one", "plugin_files")).toBeUndefined();
  });
});
