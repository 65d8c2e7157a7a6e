/** `system.plugin_packages` of `_internal`: what is installed for plugins. */
import type { InstalledPackage } from "../../ports/package-environment.ts";
import type { SystemTable, SystemTableSource } from "../query-tables.ts";

const INTERNAL = "_internal";
const NAME = "plugin_packages";

const COLUMNS: SystemTable["columns"] = [
  { name: "name", type: "utf8" }, { name: "version", type: "utf8" }, { name: "requested", type: "bool" }, { name: "required_by", type: "utf8" }, { name: "file_name", type: "utf8" }, { name: "sha256", type: "utf8" },
];

export function withPackageTable(tables: SystemTableSource, installed: () => Promise<readonly InstalledPackage[]>): SystemTableSource {
  /** As the last `prepare()` found them. */
  let packages: readonly InstalledPackage[] = [];
  return {
    names: (database) => (database === INTERNAL ? [...tables.names(database), NAME].sort() : tables.names(database)),
    table: (database, name, confined) =>
      database === INTERNAL && name === NAME
        ? { columns: COLUMNS, rows: packages.map((found) => [found.name, found.version, found.requested, found.requiredBy.join(", "), found.fileName, found.sha256]) }
        : tables.table(database, name, confined),
    async prepare(database) {
      if (database === INTERNAL) packages = await installed();
      await tables.prepare?.(database);
    },
  };
}
