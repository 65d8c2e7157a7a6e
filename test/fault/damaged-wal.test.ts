// Goal: a server does not start over damage in its WAL, says which file it is, and goes on without it only when told to.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";

const servers: TestServer[] = [];
afterAll(async () => {
  for (const server of servers) {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  }
});

async function start(folder?: string, flags: readonly string[] = []): Promise<TestServer> {
  const server = await startServer({ flags, ...(folder === undefined ? {} : { folder }) });
  servers.push(server);
  return server;
}

it("refuses a damaged WAL file by its name, and skips it when told so", { timeout: 60_000 }, async () => {
  const first = await start();
  for (const value of [1, 2, 3]) expect((await post(first, "/api/v3/write_lp?db=d&precision=ns", `m f=${value} ${value}`)).status).toBe(204);
  await first.stop("SIGKILL");
  const wal = join(first.folder, "data", "node0", "wal");
  const [name] = readdirSync(wal) as [string];
  const bytes = readFileSync(join(wal, name));
  bytes[100] = (bytes[100] as number) ^ 0xff;
  writeFileSync(join(wal, name), bytes);
  await expect(start(first.folder)).rejects.toThrow(`WAL file ${name} is damaged at byte`);
  expect(readFileSync(join(wal, name)).equals(bytes)).toBe(true);
  const second = await start(first.folder, ["--wal-replay-fail-on-error=false"]);
  expect(second.output()).toContain("going on without it");
  expect((await post(second, "/api/v3/write_lp?db=d&precision=ns", "m f=4 4")).status).toBe(204);
  expect(await queryRows(second, "d", "SELECT f FROM m ORDER BY time")).toEqual([{ f: 4 }]);
});
