import { describe, expect, it } from "vitest";
import type { DatabaseDefinition } from "../../core/catalog/definitions.ts";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { PROFILES } from "../../core/trigger/grants.ts";
import { PROCESSING_LIMITS } from "./limits.ts";
import { GapTable } from "./gap-table.ts";
import { LogTable } from "./log-table.ts";
import type { ProcessingCatalog } from "./processing-engine.ts";
import { ProcessingSystemTables } from "./system-tables.ts";

const database = (name: string, triggers: readonly (readonly [name: string, file: string])[]): Pick<DatabaseDefinition, "name" | "triggers"> => ({
  name,
  triggers: new Map(triggers.map(([trigger, pluginFileName], id) => [trigger, {
    id, name: trigger, pluginFileName, specification: "all_tables", arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false,
    ...(trigger === "watch" ? { limits: { time: 5_000 }, grants: { db: ["two", "three"] } } : {}),
  }])),
});

function tables(logs = new LogTable(new VirtualClock(), 10)): ProcessingSystemTables {
  const databases = [database("one", [["watch", "a.py"], ["gone", "missing.py"]]), database("two", [["pack", "folder"]])] as DatabaseDefinition[];
  const catalog = { databases: () => databases, database: (name: string) => databases.find((known) => known.name === name) };
  const file = (fileName: string, folder: string) => ({ fileName, filePath: `${folder}/${fileName}`, sizeBytes: 12, modifiedMs: 1_700_000_000_000 });
  const files: Record<string, ReturnType<typeof file>[]> = { "a.py": [file("a.py", "/p")], folder: [file("__init__.py", "/p/folder"), file("lib/b.py", "/p/folder")] };
  return new ProcessingSystemTables({
    catalog: catalog as unknown as ProcessingCatalog,
    logs,
    gaps: new GapTable(new VirtualClock()),
    plugins: { files: (name) => Promise.resolve(files[name] ?? []) },
    defaults: { limits: PROCESSING_LIMITS, access: { grants: { ...PROFILES.strict, sys: ["cpu"] } } },
    states: () => [],
  });
}

describe("system.processing_engine_trigger_settings", () => {
  it("shows every limit and grant in force, and whose it is", () => {
    const rows = tables().table("one", "processing_engine_trigger_settings")?.rows ?? [];
    const watch = rows.filter(([trigger]) => trigger === "watch");
    expect(watch).toContainEqual(["watch", "limit", "time", "5s", "trigger"]);
    expect(watch).toContainEqual(["watch", "limit", "memory", "256mb", "server"]);
    expect(watch).toContainEqual(["watch", "grant", "db", "two,three", "trigger"]);
    expect(watch).toContainEqual(["watch", "grant", "sys", "cpu", "server"]);
    expect(watch).toContainEqual(["watch", "grant", "net", "", "server"]);
    expect(watch).toHaveLength(14 + 6);
    expect(rows.filter(([trigger, , , , source]) => trigger === "gone" && source === "trigger")).toEqual([]);
  });
});

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

describe("system.processing_engine_logs", () => {
  it("shows everything to people, and to a plugin the rows of its query's database only", () => {
    const logs = new LogTable(new VirtualClock(), 10);
    for (const [trigger, database] of [["watch", "one"], ["watch", "two"]] as const) logs.add({ key: `${database}/${trigger}`, trigger, database }, "INFO", `of ${database}`);
    const texts = (confined: boolean): unknown[] => (tables(logs).table("one", "processing_engine_logs", confined)?.rows ?? []).map((row) => row[3]);
    expect(texts(false)).toEqual(["of one", "of two"]);
    expect(texts(true)).toEqual(["of one"]);
  });
});
