// Goal: the whole line works on every runtime: start, write, trigger, query, restart, replay. Method: the built program
// under the real Node, Deno and Bun, spoken to over HTTP.
import { afterEach, describe, expect, it } from "vitest";
import { PLACES } from "../support/places.ts";
import { createTrigger, eventually, post, queryRows, removeFolder, startServer, type RuntimeName, type TestServer } from "../support/server.ts";

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.process.exitCode === null) await server.stop("SIGKILL");
    removeFolder(server.folder);
  }
});

async function start(runtime: RuntimeName, folder?: string, flags: readonly string[] = []): Promise<TestServer> {
  const server = await startServer({ runtime, flags, ...(folder === undefined ? {} : { folder }) });
  servers.push(server);
  return server;
}

describe.each(PLACES)("on $name", ({ runtime, flags: transport }) => {
  it("writes, fires a plugin, answers SQL, stops cleanly and replays", { timeout: 120_000 }, async () => {
    const first = await start(runtime, undefined, transport);
    expect((await post(first, "/api/v3/configure/database", { db: "home" })).status).toBe(200);
    await createTrigger(first, { database: "home", name: "count", specification: "table:room", plugin: "tutorial/process_writes.py" });
    expect((await post(first, "/api/v3/write_lp?db=home", "room,name=kitchen temp=21.5,hum=40i 1700000000000000000")).status).toBe(204);

    const derived = await eventually("the derived row", async () => {
      const rows = await queryRows(first, "home", "SELECT source_table, row_count FROM processed_data");
      return rows !== undefined && rows.length > 0 ? rows : undefined;
    });
    expect(derived).toEqual([{ source_table: "room", row_count: 1 }]);
    expect(await first.stop("SIGTERM")).toBe(0);

    const second = await start(runtime, first.folder, transport);
    expect(await queryRows(second, "home", "SELECT * FROM room")).toEqual([{ hum: 40, name: "kitchen", temp: 21.5, time: "2023-11-14T22:13:20" }]);
    expect(await queryRows(second, "home", "SELECT row_count FROM processed_data")).toEqual([{ row_count: 1 }]);
    expect((await post(second, "/api/v3/write_lp?db=home", "room,name=hall temp=19 1700000001000000000\nroom,name=attic temp=9 1700000001000000000")).status).toBe(204);
    await eventually("the trigger after the restart", async () => {
      const rows = await queryRows(second, "home", "SELECT row_count FROM processed_data ORDER BY time");
      return rows?.length === 2 && rows[1]?.["row_count"] === 2 ? rows : undefined;
    });
  });

  it("moves rows to Parquet on the encoding thread and answers from there", { timeout: 120_000 }, async () => {
    const server = await start(runtime, undefined, ["--wal-snapshot-size", "1", "--wal-flush-interval", "100ms"]);
    const lines = Array.from({ length: 5_000 }, (_, row) => `m,host=h${row % 9} f=${row / 4},i=${row}i,s="text ${row % 50}" ${1_700_000_000_000_000_000n + BigInt(row)}`);
    expect((await post(server, "/api/v3/write_lp?db=home&precision=ns", lines.join("\n"))).status).toBe(204);
    await eventually("the rows to be in Parquet", async () => (/^tidemark_parquet_rows 5000$/m.test(await (await fetch(`${server.url}/metrics`)).text()) ? true : undefined), 60_000);
    expect(await queryRows(server, "home", "SELECT count(*) AS n, sum(i) AS i, sum(f) AS f, count(DISTINCT s) AS s FROM m")).toEqual([{ n: 5_000, i: 12_497_500, f: 3_124_375, s: 50 }]);
    expect(server.output()).not.toMatch(/kernel cannot be used|snapshot failed/);
  });

  it("an endless loop in a plugin delays no write, and its trigger works again afterwards", { timeout: 120_000 }, async () => {
    const server = await start(runtime, undefined, ["--plugin-time-limit", "1s", ...transport]);
    const code = "def process_writes(influxdb3_local, table_batches, args=None):\n    for batch in table_batches:\n        for row in batch['rows']:\n            while row['spin'] == 1: pass\n        influxdb3_local.info('survived')\n";
    expect((await post(server, "/api/v3/plugins/files", { plugin_name: "spin.py", content: code })).status).toBe(200);
    expect((await post(server, "/api/v3/configure/database", { db: "home" })).status).toBe(200);
    await createTrigger(server, { database: "home", name: "spin", specification: "table:work", plugin: "spin.py" });
    expect((await post(server, "/api/v3/write_lp?db=home", "work spin=1i")).status).toBe(204);
    await eventually("the run to start", async () => {
      const rows = await queryRows(server, "home", "SELECT log_text FROM system.processing_engine_logs WHERE trigger_name = 'spin'");
      return rows !== undefined && rows.length > 0 ? rows : undefined;
    });
    const started = performance.now();
    for (let index = 0; index < 20; index++) expect((await post(server, "/api/v3/write_lp?db=home", `other f=${index}`)).status).toBe(204);
    expect(performance.now() - started).toBeLessThan(5000);
    expect((await post(server, "/api/v3/write_lp?db=home", "work spin=0i")).status).toBe(204);
    await eventually("the trigger to work again", async () => {
      const rows = await queryRows(server, "home", "SELECT log_text FROM system.processing_engine_logs WHERE log_text = 'survived'");
      return rows !== undefined && rows.length > 0 ? rows : undefined;
    }, 60_000);
  });
});
