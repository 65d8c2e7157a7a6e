/** The command tree (spec: cli §1). Leaves are loaded when they run or explain themselves. */
import type { Command, CommandNode } from "./command.ts";

/** Known to the reference, not there yet: it says so instead of guessing. */
function later(name: string, summary: string): CommandNode {
  return {
    name,
    summary: `${summary} (not available yet)`,
    load: async () => (await import("./commands/not-available.ts")).notAvailable(name, summary),
  };
}

function leaf(name: string, summary: string, load: () => Promise<Command>): CommandNode {
  return { name, summary, load };
}

const CREATE: CommandNode = {
  name: "create",
  verb: "Create",
  summary: "Create a database, table or trigger",
  children: [
    leaf("database", "Create a database", async () => (await import("./commands/create-database.ts")).createDatabase),
    leaf("table", "Create a table with its columns", async () => (await import("./commands/create-table.ts")).createTable),
    leaf("trigger", "Run a plugin on writes, on a schedule or on requests", async () =>
      (await import("./commands/create-trigger.ts")).createTrigger,
    ),
    leaf("last_cache", "Create a last value cache", async () => (await import("./commands/create-cache.ts")).createLastCache),
    leaf("distinct_cache", "Create a distinct value cache", async () => (await import("./commands/create-cache.ts")).createDistinctCache),
    leaf("token", "Create an admin token", async () => (await import("./commands/create-token.ts")).createToken),
  ],
};

const DELETE: CommandNode = {
  name: "delete",
  verb: "Delete",
  summary: "Delete a database, table or trigger",
  children: [
    leaf("database", "Delete a database", async () => (await import("./commands/delete.ts")).deleteDatabase),
    leaf("table", "Delete a table", async () => (await import("./commands/delete.ts")).deleteTable),
    leaf("trigger", "Delete a trigger", async () => (await import("./commands/delete.ts")).deleteTrigger),
    leaf("last_cache", "Delete a last value cache", async () => (await import("./commands/delete-cache.ts")).deleteLastCache),
    leaf("distinct_cache", "Delete a distinct value cache", async () => (await import("./commands/delete-cache.ts")).deleteDistinctCache),
    leaf("token", "Delete a named admin token", async () => (await import("./commands/delete.ts")).deleteToken),
  ],
};

const SHOW: CommandNode = {
  name: "show",
  verb: "Show",
  summary: "List databases and look into the system tables",
  children: [
    leaf("databases", "List the databases", async () => (await import("./commands/show.ts")).showDatabases),
    leaf("triggers", "List the triggers of a database: what they do, how they fare, their limits and grants", async () =>
      (await import("./commands/show-triggers.ts")).showTriggers,
    ),
    leaf("packages", "List the Python packages that are installed for plugins", async () => (await import("./commands/show.ts")).showPackages),
    leaf("plugins", "List the plugin files of the triggers", async () => (await import("./commands/show.ts")).showPlugins),
    {
      ...leaf("system", "Print system tables", async () => (await import("./commands/show-system.ts")).showSystem),
      alias: "s",
    },
    leaf("tokens", "List the tokens", async () => (await import("./commands/show.ts")).showTokens),
    leaf("retention", "List the retention periods", async () => (await import("./commands/show.ts")).showRetention),
  ],
};

export const PROGRAM: CommandNode = {
  name: "influxdb3",
  summary: "Tidemark: a time-series database for the edge that speaks InfluxDB 3 and runs Python plugins in a sandbox",
  children: [
    { ...leaf("serve", "Run the server", async () => (await import("./commands/serve.ts")).serve), verb: "Serve" },
    { ...leaf("dev", "Run a server for trying things out, no settings needed", async () => (await import("./commands/serve.ts")).dev), verb: "Dev" },
    { ...leaf("logs", "Print what the triggers of a database logged", async () => (await import("./commands/logs.ts")).logs), verb: "Logs" },
    { ...leaf("query", "Query with SQL", async () => (await import("./commands/query.ts")).query), alias: "q", verb: "Query" },
    { ...leaf("write", "Write line protocol", async () => (await import("./commands/write.ts")).write), alias: "w", verb: "Write" },
    CREATE,
    SHOW,
    DELETE,
    {
      name: "enable",
      verb: "Enable",
      summary: "Enable a trigger",
      children: [leaf("trigger", "Start a trigger", async () => (await import("./commands/switch-trigger.ts")).enableTrigger)],
    },
    {
      name: "disable",
      verb: "Disable",
      summary: "Disable a trigger",
      children: [leaf("trigger", "Stop a trigger", async () => (await import("./commands/switch-trigger.ts")).disableTrigger)],
    },
    {
      name: "test",
      verb: "Test",
      summary: "Run a plugin without keeping what it writes",
      children: [
        leaf("wal_plugin", "Test a plugin for writes", async () => (await import("./commands/test-plugin.ts")).testWalPlugin),
        leaf("schedule_plugin", "Test a plugin for schedules", async () => (await import("./commands/test-plugin.ts")).testSchedulePlugin),
        leaf("request_plugin", "Test a plugin for requests", async () => (await import("./commands/test-plugin.ts")).testRequestPlugin),
      ],
    },
    {
      name: "update",
      verb: "Update",
      summary: "Change a database, or the code, limits and grants of a trigger",
      children: [
        leaf("database", "Change how long a database keeps its rows", async () =>
          (await import("./commands/update-database.ts")).updateDatabase,
        ),
        leaf("table", "Change how long a table keeps its rows", async () => (await import("./commands/update-table.ts")).updateTable),
        leaf("trigger", "Replace the code of a trigger, or change its limits and grants", async () =>
          (await import("./commands/update-trigger.ts")).updateTrigger,
        ),
      ],
    },
    {
      name: "install",
      verb: "Install",
      summary: "Install Python packages",
      children: [leaf("package", "Install Python packages for plugins", async () => (await import("./commands/install-package.ts")).installPackage)],
    },
    {
      name: "uninstall",
      verb: "Uninstall",
      summary: "Remove Python packages",
      children: [leaf("package", "Remove Python packages, and what only they needed", async () => (await import("./commands/install-package.ts")).uninstallPackage)],
    },
    {
      name: "completion",
      verb: "Completion",
      summary: "Print a completion script for your shell",
      children: (["bash", "zsh", "fish"] as const).map((shell) =>
        leaf(shell, `Print the completion script for ${shell}`, async () => (await import("./commands/completion.ts")).completionCommand(shell)),
      ),
    },
    { ...later("debug", "Look into a stored catalog"), verb: "Debug", hidden: true },
  ],
};
