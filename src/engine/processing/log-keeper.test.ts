// Goal: kept log rows arrive whole, in a bounded way, and never make themselves.
import { describe, expect, it } from "vitest";
import { LineProtocolParser } from "../../core/line-protocol/parser.ts";
import { flushPromises, VirtualClock } from "../../testing/virtual-clock.ts";
import { LOG_KEEP_ROWS_MAX } from "./limits.ts";
import { LogKeeper } from "./log-keeper.ts";
import { LogTable } from "./log-table.ts";

function open(write: (lines: string) => Promise<unknown>): { clock: VirtualClock; logs: LogTable; keeper: LogKeeper } {
  const clock = new VirtualClock();
  const logs = new LogTable(clock, 100);
  return { clock, logs, keeper: new LogKeeper({ logs, database: "kept", write, clock, log: { log: () => undefined } }) };
}

const source = (trigger: string, database = "db") => ({ key: `${database}/${trigger}`, trigger, database });

describe("the log keeper", () => {
  it("writes rows together as line protocol that reads back, whatever they hold", async () => {
    const written: string[] = [];
    const { clock, logs } = open(async (lines) => written.push(lines));
    logs.add(source("a, b=c", "d b"), "ERROR", 'He said "no"\n\\ and, went', { traceback: "Traceback\n  line", runId: "r1" });
    logs.add(source("x"), "INFO", "");
    await clock.advance(2_000);
    expect(written).toHaveLength(1);
    const parser = new LineProtocolParser();
    parser.begin(new TextEncoder().encode(written[0]), { precision: "nanosecond", nowNs: 0n, acceptPartial: true });
    while (!parser.step()) continue;
    expect(parser.result()).toMatchObject({ lineCount: 2, errors: [] });
    expect(written[0]?.startsWith('processing_engine_logs,database=d\\ b,trigger=a\\,\\ b\\=c,level=ERROR log_text="He said \\"no\\"\n\\\\ and, went",traceback="Traceback\n  line",run_id="r1" ')).toBe(true);
  });

  it("keeps nothing of the database it writes to", async () => {
    const written: string[] = [];
    const { clock, logs } = open(async (lines) => written.push(lines));
    logs.add(source("x", "kept"), "INFO", "loop");
    await clock.advance(10_000);
    expect(written).toEqual([]);
  });

  it("tries again in order, and drops beyond its limit with a count", async () => {
    const written: string[] = [];
    let works = false;
    const { clock, logs, keeper } = open(async (lines) => {
      if (!works) throw new Error("full");
      written.push(lines);
    });
    for (let row = 0; row < LOG_KEEP_ROWS_MAX + 5; row++) logs.add(source("x"), "INFO", String(row));
    await clock.advance(3_000);
    works = true;
    await clock.advance(3_000);
    expect(keeper.dropped).toBe(5);
    expect(written[0]?.split("\n")).toHaveLength(LOG_KEEP_ROWS_MAX);
    logs.add(source("x"), "INFO", "last");
    await keeper.close();
    await flushPromises();
    expect(written[1]).toContain('log_text="last"');
  });
});
