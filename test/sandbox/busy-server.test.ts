// Goal: a plugin that never ends holds up neither a schema change, nor its own disabling, nor Ctrl-C; schedules go on after
// a restart. Method: a real server, and a plugin inside a C loop that no poll reaches.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTrigger, eventually, post, queryRows, removeFolder, startServer, temporaryFolder, type TestServer } from "../support/server.ts";

const SPIN = "def process_writes(local, batches, args):\n    local.info('spinning')\n    sum(range(10**13))\n";
const TICK = "def process_scheduled_call(local, call_time, args):\n    local.write(LineBuilder('ticks').string_field('at', call_time.isoformat()))\n";
/** Ladder of the stop: 250 ms and one second; the rest is what a busy machine takes. */
const STOP_MS_MAX = 15_000;

const folder = temporaryFolder();
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ folder });
  expect((await post(server, "/api/v3/write_lp?db=db", "m f=1")).status).toBe(204);
  for (const [plugin_name, content] of [["spin.py", SPIN], ["tick.py", TICK]] as const) expect((await post(server, "/api/v3/plugins/files", { plugin_name, content })).status).toBe(200);
  await createTrigger(server, { database: "db", name: "spin", specification: "table:m", plugin: "spin.py" });
  await createTrigger(server, { database: "db", name: "tick", specification: "cron:* * * * * *", plugin: "tick.py" });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(folder);
});

const spinning = (runs: number): Promise<true> =>
  eventually("the plugin to spin", async () => {
    const rows = await queryRows(server, "db", "SELECT count(*) AS n FROM system.processing_engine_logs WHERE log_text = 'spinning'");
    return Number(rows?.[0]?.["n"]) >= runs ? true : undefined;
  });

test("a schema change and the disabling of a busy trigger take no longer than stopping it", async () => {
  expect((await post(server, "/api/v3/write_lp?db=db", "m f=2")).status).toBe(204);
  await spinning(1);
  const started = performance.now();
  expect((await post(server, "/api/v3/write_lp?db=db", "fresh f=1")).status).toBe(204);
  expect((await post(server, "/api/v3/configure/processing_engine_trigger/disable?db=db&trigger_name=spin", "")).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(STOP_MS_MAX);
  const rows = await queryRows(server, "db", "SELECT state FROM system.processing_engine_trigger_status WHERE trigger_name = 'spin'");
  expect(rows).toEqual([{ state: "disabled" }]);
});

test("Ctrl-C ends the server while a plugin spins, and schedules go on after the restart", async () => {
  expect((await post(server, "/api/v3/configure/processing_engine_trigger/enable?db=db&trigger_name=spin", "")).status).toBe(200);
  expect((await post(server, "/api/v3/write_lp?db=db", "m f=3")).status).toBe(204);
  await spinning(2);
  const started = performance.now();
  expect(await server.stop("SIGINT")).toBe(0);
  expect(performance.now() - started).toBeLessThan(STOP_MS_MAX);
  server = await startServer({ folder });
  const ticks = async (): Promise<number> => Number((await queryRows(server, "db", "SELECT count(*) AS n FROM ticks"))?.[0]?.["n"]);
  const before = await ticks();
  await eventually("the next tick", async () => ((await ticks()) > before ? true : undefined));
  const states = await queryRows(server, "db", "SELECT trigger_name, state FROM system.processing_engine_trigger_status ORDER BY trigger_name");
  expect(states).toEqual([{ trigger_name: "spin", state: "running" }, { trigger_name: "tick", state: "running" }]);
});
