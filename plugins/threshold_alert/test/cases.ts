import { describe, expect, it } from "vitest";
import { createTrigger, finished, rows, testRun, unique, write } from "../../../test/conformance/plugins/harness.ts";
import { serveHook } from "../../../test/support/network.ts";

const PLUGIN = "threshold_alert/threshold_alert.py";

/** Log lines and lines for the alert table of one call. */
async function call(lines: string, args: Record<string, string>, cache = unique("cache")): Promise<{ log: string[]; alerts: string[] }> {
  const report = await testRun("wal", { filename: PLUGIN, database: "watched", input_lp: lines, input_arguments: args, cache_name: cache });
  expect(report.errors).toEqual([]);
  return { log: report.log_lines.slice(1, -1), alerts: report.database_writes["watched"] ?? [] };
}

const REFUSED: readonly (readonly [args: Record<string, string>, text: string])[] = [
  [{}, "the argument field is missing"],
  [{ field: "temp" }, "give above, below or both"],
  [{ field: "temp", above: "hot" }, "above=hot is no number"],
  [{ field: "temp", above: "5", below: "5" }, "below (5) must be less than above (5): no value would be well"],
  [{ field: "temp", above: "5", count: "0" }, "count must be at least 1 and cooldown not negative"],
  [{ field: "temp", above: "5", webhook_url: "ftp://x" }, "webhook_url=ftp://x begins with neither http:// nor https://"],
];

export function thresholdAlertCases(): void {
  describe("threshold_alert", () => {
    it("tells once when a limit is broken, and once when all is well again", async () => {
      const { log, alerts } = await call("home temp=29 1\nhome temp=31.5 2\nhome temp=32 3\nhome temp=30 4\nhome temp=4 5", { field: "temp", above: "30", below: "5" });
      expect(alerts).toEqual([
        'alerts,state=alert,source_table=home,source_field=temp value=31.5,message="home.temp is 31.5, which is above 30" 2',
        'alerts,state=ok,source_table=home,source_field=temp value=30.0,message="home.temp is 30, which is well again" 4',
        'alerts,state=alert,source_table=home,source_field=temp value=4.0,message="home.temp is 4, which is below 5" 5',
      ]);
      expect(log).toEqual(["WARN: home.temp is 31.5, which is above 30", "INFO: home.temp is 30, which is well again", "WARN: home.temp is 4, which is below 5"]);
    });

    it("watches each series on its own, and across calls", async () => {
      const [args, cache] = [{ field: "temp", above: "30", group_by: "room" }, unique("cache")];
      expect((await call("home,room=a temp=31 1\nhome,room=b temp=1 1", args, cache)).log).toEqual(["WARN: home.temp of room=a is 31, which is above 30"]);
      expect((await call("home,room=a temp=32 2\nhome,room=b temp=32 2", args, cache)).log).toEqual(["WARN: home.temp of room=b is 32, which is above 30"]);
      expect((await call("home,room=a temp=1 3", args, cache)).log).toEqual(["INFO: home.temp of room=a is 1, which is well again"]);
    });

    it("waits for count rows in a row", async () => {
      const { alerts } = await call("home temp=31 1\nhome temp=31 2\nhome temp=1 3\nhome temp=31 4\nhome temp=31 5\nhome temp=31 6", { field: "temp", above: "30", count: "3" });
      expect(alerts).toEqual([expect.stringMatching(/^alerts,state=alert.* 6$/)]);
    });

    it("tells again after the cooldown only", async () => {
      const cache = unique("cache");
      const args = { field: "temp", above: "30", cooldown: "0.05" };
      expect((await call("home temp=31 1\nhome temp=31 2", args, cache)).alerts).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect((await call("home temp=31 3", args, cache)).alerts).toHaveLength(1);
    });

    it("passes over rows without a number, other tables and its own alerts", async () => {
      const { alerts } = await call('home temp="hot" 1\nhome2 temp=99 1\nhome hum=99 2\nalerts temp=99 1', { field: "temp", above: "30", table: "home" });
      expect(alerts).toEqual([]);
      expect((await call("alerts temp=99 1", { field: "temp", above: "30" })).alerts).toEqual([]);
    });

    it("writes the alert also when the webhook cannot be reached, and says why", async () => {
      const { log, alerts } = await call("home temp=31 1\nhome temp=1 2", { field: "temp", above: "30", webhook_url: "http://127.0.0.1:9/hook", webhook_token: "t" });
      expect(alerts).toHaveLength(2);
      expect(log.filter((line) => line.startsWith("ERROR"))).toEqual([expect.stringMatching(/^ERROR: the webhook http:\/\/127\.0\.0\.1:9\/hook was not reached: .+; the alert stands in the table alerts$/)]);
    });

    it("posts each alert as JSON with the token", async () => {
      const hook = await serveHook();
      const { log } = await call("home temp=31 1\nhome temp=1 2", { field: "temp", above: "30", webhook_url: `http://127.0.0.1:${hook.port}/hook`, webhook_token: "secret" });
      await hook.close();
      expect(log.filter((line) => line.startsWith("ERROR"))).toEqual([]);
      const event = { table: "home", field: "temp", tags: {} };
      expect(hook.calls).toEqual([
        { method: "POST", authorization: "Bearer secret", body: { ...event, state: "alert", value: 31, time: 1, message: "home.temp is 31, which is above 30" } },
        { method: "POST", authorization: "Bearer secret", body: { ...event, state: "ok", value: 1, time: 2, message: "home.temp is 1, which is well again" } },
      ]);
    });

    it("says how a webhook refused, and does not go on", async () => {
      const hook = await serveHook(503);
      const { log } = await call("home temp=31 1\nhome temp=1 2", { field: "temp", above: "30", webhook_url: `http://127.0.0.1:${hook.port}/hook` });
      await hook.close();
      expect(log.filter((line) => line.startsWith("ERROR"))).toEqual([`ERROR: the webhook http://127.0.0.1:${hook.port}/hook was not reached: it answered 503 Service Unavailable; the alert stands in the table alerts`]);
      expect(hook.calls).toHaveLength(1);
    });

    it("works as a trigger, whose alerts do not fire it again", async () => {
      const database = unique("bundled");
      const trigger = await createTrigger(PLUGIN, "all_tables", { database, arguments: { field: "value", above: "30" } });
      await write(database, "home value=31 1");
      await finished(trigger, 2);
      expect(await rows(database, "SELECT state, value FROM alerts")).toEqual([{ state: "alert", value: 31 }]);
      await trigger.remove();
    });

    it.each(REFUSED)("refuses %j: %s", async (args, text) => expect((await call("home temp=1", args)).log).toEqual([`ERROR: threshold_alert: ${text}`]));
  });
}
