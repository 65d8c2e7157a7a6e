// Goal: what triggers log is bounded, in order, and no trigger pushes out another's rows. Expectations: limits.ts, spec §17.
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { LOG_ROW_BYTES, LOG_TEXT_BYTES_MAX } from "./limits.ts";
import { type LogSource, LogTable } from "./log-table.ts";

const source = (trigger: string, database = "db"): LogSource => ({ key: `${database}/${trigger}`, trigger, database });

describe("the log table", () => {
  it("is bounded in bytes, newest rows last", () => {
    const table = new LogTable(new VirtualClock(), 1_000, 1_000_000);
    for (let index = 0; index < 500; index += 1) table.add(source("t"), "INFO", `${index} ${"x".repeat(LOG_TEXT_BYTES_MAX)}`);
    const rows = table.rows();
    expect(rows.length).toBeLessThan(10);
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.at(-1)?.text).toMatch(/^499 /);
  });

  it("keeps the newest rows of each trigger, whatever another logs", () => {
    const table = new LogTable(new VirtualClock(), 10);
    table.add(source("quiet"), "WARN", "heard");
    for (let index = 0; index < 1_000; index += 1) table.add(source("noisy"), "INFO", String(index));
    expect(table.rows().map(({ text }) => text)).toEqual(["heard", ...Array.from({ length: 10 }, (_, index) => String(990 + index))]);
  });

  it("takes the room for all from the trigger that has most of it", () => {
    const table = new LogTable(new VirtualClock(), 100_000, 100 * LOG_ROW_BYTES);
    for (let index = 0; index < 20; index += 1) table.add(source("quiet"), "INFO", "");
    for (let index = 0; index < 5_000; index += 1) table.add(source("noisy"), "INFO", "");
    const count = (name: string): number => table.rows().filter(({ triggerName }) => triggerName === name).length;
    expect([count("quiet"), count("noisy")]).toEqual([20, 80]);
  });

  it("tells triggers of one name in two databases apart, and gives all in the order of logging", () => {
    const table = new LogTable(new VirtualClock(), 10);
    table.add(source("t", "a"), "INFO", "1");
    table.add(source("t", "b"), "ERROR", "2", { traceback: "Traceback", runId: "r" });
    table.add(source("t", "a"), "INFO", "3");
    expect(table.rows().map(({ database, text }) => `${database}${text}`)).toEqual(["a1", "b2", "a3"]);
    expect(table.rows()[1]).toMatchObject({ traceback: "Traceback", runId: "r", level: "ERROR" });
    expect(new Set(table.rows().map(({ timeNs }) => timeNs)).size).toBe(3);
  });
});
