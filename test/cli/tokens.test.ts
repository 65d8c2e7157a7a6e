// Goal: a server as it starts by default keeps everyone out who has no token, and tells its owner how to get one. Method: the
// real program, from the first start over a kill to a token file.
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let token = "";

beforeAll(async () => {
  server = await startServer({ tokens: true });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

const cli = (...args: string[]): ReturnType<typeof runCli> => runCli([...args, "--host", server.url]);

it("tells how to make the first token, and does nothing else before", async () => {
  // The line is printed a moment after the server listens.
  await eventually("the line that tells how", () => (server.output().includes(`influxdb3 create token --admin --host ${server.url}`) ? true : undefined));
  const refused = await cli("create", "database", "db");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("401 Unauthorized")]);
  expect(refused.stderr).toContain("hint: this server has no token yet: make the first one with 'influxdb3 create token --admin'");
});

it("makes the first token once", async () => {
  const made = await cli("create", "token", "--admin", "--format", "json");
  expect(made.code).toBe(0);
  token = (JSON.parse(made.stdout) as { token: string }).token;
  const again = await cli("create", "token", "--admin");
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("409 Conflict]: token name already exists, _admin")]);
});

it("takes the token from then on, also after a kill, and never prints it", async () => {
  expect((await cli("create", "database", "db", "--token", token)).code).toBe(0);
  await server.stop("SIGKILL");
  server = await startServer({ tokens: true, folder: server.folder });
  const env = { INFLUXDB3_AUTH_TOKEN: token };
  expect((await runCli(["write", "-d", "db", "m f=1 1", "--precision", "ns", "--host", server.url], { env })).code).toBe(0);
  const rows = await runCli(["query", "-d", "db", "SELECT f FROM m", "--format", "csv", "--host", server.url], { env });
  expect(rows.stdout).toBe("f\n1.0\n\n");
  const shown = await runCli(["show", "tokens", "--format", "json", "--host", server.url], { env });
  expect(JSON.parse(shown.stdout)).toMatchObject([{ token_id: 1, name: "_admin", permissions: "*:*:*" }]);
  expect(shown.stdout + server.output()).not.toContain(token);
  expect((await fetch(`${server.url}/ping`)).status).toBe(401);
});

it("takes over a token made offline", async () => {
  const file = join(server.folder, "edge-token.json");
  const made = await runCli(["create", "token", "--admin", "--offline", "--name", "edge", "--output-file", file]);
  expect(made.code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const offline = /Token: (apiv3_\S+)/.exec(made.stdout)?.[1] ?? "";
  await server.stop();
  server = await startServer({ tokens: true, folder: server.folder, flags: ["--admin-token-file", file, "--disable-authz", "ping"] });
  expect((await fetch(`${server.url}/ping`)).status).toBe(200);
  const answer = (value: string): Promise<Response> => fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${value}` } });
  expect([(await answer(offline)).status, (await answer(token)).status, (await answer("apiv3_x")).status]).toEqual([200, 200, 401]);
});

it("replaces a lost operator token over the recovery address, once (http-api §1)", async () => {
  await server.stop();
  server = await startServer({ tokens: true, folder: server.folder, flags: ["--admin-token-recovery-http-bind=127.0.0.1:0"] });
  const address = await eventually("the recovery address in the log", () => /--regenerate --host (http:\/\/127\.0\.0\.1:\d+)/.exec(server.output())?.[1]);
  const works = async (value: string): Promise<number> => (await fetch(`${server.url}/ping`, { headers: { authorization: `Bearer ${value}` } })).status;
  expect(await works(token)).toBe(200);
  const made = await runCli(["create", "token", "--admin", "--regenerate", "--format", "json", "--host", address], { stdin: "yes\n" });
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const recovered = (JSON.parse(made.stdout.slice(made.stdout.indexOf("{"))) as { token: string }).token;
  expect([await works(recovered), await works(token)]).toEqual([200, 401]);
  await eventually("the recovery address to close", () => fetch(address).then(() => undefined, () => true));
});
