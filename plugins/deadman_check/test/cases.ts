import { describe, expect, it } from "vitest";
import { testRun, unique, write } from "../../../test/conformance/plugins/harness.ts";
import { serveHook } from "../../../test/support/network.ts";

const seconds = (ago: number): string => `${Math.floor(Date.now() / 1000) - ago}000000000`;

async function call(database: string, args: Record<string, string>, cache = unique("cache")): Promise<{ log: string[]; changes: string[] }> {
  const report = await testRun("schedule", { filename: "deadman_check/deadman_check.py", database, input_arguments: args, cache_name: cache });
  expect(report.errors).toEqual([]);
  return { log: report.log_lines.slice(1, -1), changes: report.database_writes[database] ?? [] };
}

export function deadmanCheckCases(): void {
  describe("deadman_check", () => {
    it("tells once which series fell silent, and when one writes again", async () => {
      const [database, cache] = [unique("bundled"), unique("cache")];
      await write(database, `home,room=a temp=1 ${seconds(10)}\nhome,room=b temp=1 ${seconds(400)}\nhome,room=c temp=1 ${seconds(100_000)}`);
      const args = { table: "home", timeout: "5m", group_by: "room" };
      const first = await call(database, args, cache);
      expect(first.changes).toEqual([expect.stringMatching(/^deadman,state=dead,source_table=home,room=b message="home \(room=b\) is silent for 40\d s",silent_seconds=40\d(?:\.\d+)?,last_time=\d+i \d+$/)]);
      expect(first.log.at(-1)).toBe("INFO: home: 2 series, 1 silent for more than 5m");
      expect((await call(database, args, cache)).changes).toEqual([]);
      await write(database, `home,room=b temp=1 ${seconds(1)}`);
      expect((await call(database, args, cache)).log[0]).toBe("INFO: home (room=b) writes again");
    });

    it("watches a table as a whole, also one that wrote nothing within the look-back", async () => {
      const database = unique("bundled");
      await write(database, `home temp=1 ${seconds(7200)}`);
      expect((await call(database, { table: "home", timeout: "1h" })).log[0]).toMatch(/^WARN: home is silent for 720\d s$/);
      expect((await call(database, { table: "home", timeout: "1m", lookback: "1h" })).log[0]).toBe("WARN: home wrote nothing within 3600 s");
      expect((await call(database, { table: "home", timeout: "3h" })).changes).toEqual([]);
    });

    it("keeps the change in its table when the webhook cannot be reached", async () => {
      const database = unique("bundled");
      await write(database, `home temp=1 ${seconds(7200)}`);
      const { log, changes } = await call(database, { table: "home", webhook_url: "http://127.0.0.1:9/" });
      expect(changes).toHaveLength(1);
      expect(log[1]).toMatch(/^ERROR: the webhook http:\/\/127\.0\.0\.1:9\/ was not reached: .+; the changes stand in the table deadman$/);
    });

    it("posts the changes of a call together", async () => {
      const [database, hook] = [unique("bundled"), await serveHook()];
      await write(database, `home,room=a temp=1 ${seconds(7200)}\nhome,room=b temp=1 ${seconds(7200)}`);
      await call(database, { table: "home", group_by: "room", webhook_url: `http://127.0.0.1:${hook.port}/` });
      await hook.close();
      const change = { state: "dead", table: "home", last_time: expect.any(Number) };
      expect(hook.calls.map(({ body }) => body)).toEqual([expect.arrayContaining([{ ...change, tags: { room: "a" } }, { ...change, tags: { room: "b" } }])]);
    });

    it.each([
      [{}, "the argument table is missing"],
      [{ table: "nowhere" }, "there is no table 'nowhere' yet"],
      [{ table: "home", timeout: "5" }, "timeout=5 is no duration; write 30s, 10m, 2h, 1d or 1w"],
      [{ table: "home", timeout: "2d" }, "timeout must not be 0, and lookback longer than timeout"],
      [{ table: "home", group_by: "temp" }, "group_by names 'temp', which is no tag; there are room"],
    ])("refuses %j: %s", async (args, text) => {
      const database = unique("bundled");
      await write(database, "home,room=a temp=1");
      expect((await call(database, args as Record<string, string>)).log).toEqual([`ERROR: deadman_check: ${text}`]);
    });
  });
}
