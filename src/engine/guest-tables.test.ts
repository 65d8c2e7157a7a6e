import { expect, test } from "vitest";
import { guestTables } from "./guest-tables.ts";

test("a plugin's query sees log rows of its database's triggers only; other tables are as they are", () => {
  const rows = [[1n, "mine", "INFO", "a"], [2n, "theirs", "INFO", "database secret"], [3n, "", "WARN", "server"]];
  const columns = [{ name: "event_time", type: "time" }, { name: "trigger_name", type: "utf8" }, { name: "log_level", type: "utf8" }, { name: "log_text", type: "utf8" }] as const;
  const source = { names: () => ["processing_engine_logs", "other"], table: () => ({ columns, rows }) };
  const tables = guestTables(source, (database, trigger) => database === "db" && trigger === "mine");
  expect(tables.table("db", "processing_engine_logs")?.rows).toEqual([rows[0]]);
  expect(tables.table("elsewhere", "processing_engine_logs")?.rows).toEqual([]);
  expect(tables.table("db", "other")?.rows).toEqual(rows);
});
