// Goal: a real server on a bucket does what the docs promise: it outlives a store that is down, a `kill -9`, the loss of its
// machine and a second server of its name, and says what is wrong. Method: the built program against the double.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, post, PROGRAM_PATH, queryRows, removeFolder, startServer, temporaryFolder, type TestServer } from "../support/server.ts";
import { S3Double, type S3DoubleOptions } from "../support/s3-double.ts";

const doubles: S3Double[] = [];
const servers: TestServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop("SIGKILL");
  for (const double of doubles.splice(0)) await double.stop();
  for (const folder of folders.splice(0)) removeFolder(folder);
});

async function newDouble(options: S3DoubleOptions = {}): Promise<S3Double> {
  const double = new S3Double({ pageSize: 5, ...options });
  doubles.push(double);
  return double.start();
}

/** Snapshots all the time. */
const OFTEN = ["--wal-snapshot-size", "1", "--wal-flush-interval", "100ms"];
/** An outage is noticed soon. */
const SOON = ["--object-store-max-retries", "1"];

async function serve(double: S3Double, flags: readonly string[] = OFTEN, folder?: string): Promise<TestServer> {
  const server = await startServer({ flags: [...double.flags, ...SOON, ...flags], ...(folder === undefined ? {} : { folder }) });
  servers.push(server);
  folders.push(server.folder);
  return server;
}

let next = 0;

/** Writes rows that no other call writes; throws when they are not acknowledged. */
async function writeRows(server: TestServer, count = 10, table = "m"): Promise<number> {
  const lines = Array.from({ length: count }, () => `${table},host=h${next % 7} value=${next}i ${1_700_000_000_000_000_000n + BigInt(next++) * 1_000_000_000n}`);
  const answer = await post(server, "/api/v3/write_lp?db=db", lines.join("\n"));
  if (answer.status !== 204) throw new Error(`${answer.status} ${answer.text}`);
  return count;
}

const countRows = async (server: TestServer): Promise<unknown> => (await queryRows(server, "db", "SELECT count(*) AS n, count(DISTINCT value) AS d FROM m"))?.[0];
const health = async (server: TestServer): Promise<[number, string]> => {
  const response = await fetch(`${server.url}/health`);
  return [response.status, await response.text()];
};
const metric = async (server: TestServer, name: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
};
const until = (what: string, probe: () => Promise<boolean>): Promise<true> => eventually(what, async () => ((await probe()) ? true : undefined), 30_000);

describe("a server on a bucket", () => {
  it("goes on writing while the store is down, says so once, catches up, and has every row after kill -9", { timeout: 90_000 }, async () => {
    const double = await newDouble();
    const server = await serve(double);
    let rows = 0;
    for (let time = 0; time < 20; time++) rows += await writeRows(server);
    await until("a snapshot", async () => (await metric(server, "tidemark_parquet_rows")) > 0);
    await double.stop();
    for (let time = 0; time < 20; time++) rows += await writeRows(server);
    await until("the outage to show", async () => (await health(server))[1].startsWith("OK (degraded: object store unavailable for "));
    expect((await health(server))[0]).toBe(200);
    expect(await metric(server, "tidemark_object_store_up")).toBe(0);
    rows += await writeRows(server);
    expect(await countRows(server)).toEqual({ n: rows, d: rows });
    // A new table needs the catalog, which is in the store.
    expect(await post(server, "/api/v3/write_lp?db=db", "other value=1i 1")).toMatchObject({ status: 500, text: expect.stringContaining("cannot be reached") });
    await until("another attempt of the snapshot", async () => (await metric(server, "tidemark_snapshot_failures_total")) >= 2);
    await double.start();
    await until("the snapshots to catch up", async () => (await metric(server, "tidemark_buffer_rows")) === 0);
    expect(await health(server)).toEqual([200, "OK"]);
    const said = server.output().split("\n").filter((line) => line.includes("object store"));
    expect(said.map((line) => /"level":"\w+","message":"The object store \w+ \w+/.exec(line)?.[0])).toEqual(['"level":"warn","message":"The object store does not', '"level":"info","message":"The object store works again']);
    await double.stop();
    rows += await writeRows(server);
    await server.stop("SIGKILL");
    await double.start();
    const again = await serve(double, [], server.folder);
    expect(await countRows(again)).toEqual({ n: rows, d: rows });
    expect(await metric(again, "influxdb3_parquet_cache_size_bytes")).toBeGreaterThan(0);
    expect(server.output() + again.output()).not.toContain(double.secretAccessKey);
  });

  it("with the WAL in the store is cattle: a new machine has every acknowledged row", { timeout: 90_000 }, async () => {
    const double = await newDouble();
    const flags = ["--wal-object-store", "--wal-flush-interval", "50ms", "--wal-snapshot-size", "8"];
    const first = await serve(double, flags);
    const acknowledged: number[] = [];
    let isWriting = true;
    const client = async (): Promise<void> => {
      while (isWriting) acknowledged.push(await writeRows(first).catch(() => 0));
    };
    const clients = [client(), client(), client()];
    await until("snapshots and WAL objects beside each other", async () => {
      const paths = [...double.objects.keys()];
      return paths.some((path) => path.includes("/snapshots/")) && paths.filter((path) => path.includes("/wal/")).length > 3;
    });
    await first.stop("SIGKILL");
    isWriting = false;
    await Promise.all(clients);
    // Nothing of worth lies there.
    expect(readdirSync(join(first.folder, "data", "node0", "wal")).filter((name) => name.endsWith(".wal"))).toEqual([]);
    removeFolder(first.folder);
    const second = await serve(double, flags);
    const rows = acknowledged.reduce((sum, count) => sum + count, 0);
    const found = (await countRows(second)) as { n: number; d: number };
    // A write that was under way may be there, whole.
    expect(found.n).toBe(found.d);
    expect([0, 10, 20, 30]).toContain(found.n - rows);
    await double.stop();
    await until("the outage to show", async () => (await health(second))[0] === 503 || (void writeRows(second).catch(() => undefined), false));
    expect((await health(second))[1]).toContain("FAILING: object store unavailable");
    await double.start();
    await until("writes to work again", () => writeRows(second).then(() => true, () => false));
    expect((await health(second))[1]).toBe("OK");
    await second.stop();
    const third = await serve(double, flags, temporaryFolder());
    expect(((await countRows(third)) as { n: number; d: number }).n).toBeGreaterThanOrEqual(found.n + 10);
  });

  it("steps back when a second server of its name starts, and says which", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    const first = await serve(double);
    await writeRows(first);
    await until("a snapshot", async () => (await metric(first, "tidemark_buffer_rows")) === 0);
    const second = await serve(double);
    // It looks by itself every 10 s, and before each change of what both can reach.
    expect((await post(first, "/api/v3/write_lp?db=db", "other value=1i 1")).status).toBe(503);
    const [status, text] = await health(first);
    expect([status, text]).toEqual([503, expect.stringMatching(/^FAILING: another process \(on '.+'\) has written ahead of this one: it took over node 'node0'/)]);
    expect(await post(first, "/api/v3/write_lp?db=db", "m,host=x value=1i 1")).toMatchObject({ status: 503, text: expect.stringContaining("has written ahead of this one") });
    expect(await metric(first, "tidemark_node_superseded")).toBe(1);
    await writeRows(second);
    expect(await health(second)).toEqual([200, "OK"]);
  });

  it("reads files through a small cache, fetches them again after a restart, and refuses what cannot fit", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    const server = await serve(double);
    let rows = 0;
    for (let time = 0; time < 6; time++) {
      rows += await writeRows(server, 500);
      await until("a snapshot", async () => (await metric(server, "tidemark_buffer_rows")) === 0);
    }
    await server.stop("SIGKILL");
    const cold = await serve(double, ["--parquet-cache-size", "1mb"], server.folder);
    double.calls.length = 0;
    expect(await countRows(cold)).toEqual({ n: rows, d: rows });
    const fetched = double.calls.filter(({ method, key }) => method === "GET" && key.endsWith(".parquet")).length;
    expect(fetched).toBeGreaterThan(0);
    expect(await countRows(cold)).toEqual({ n: rows, d: rows });
    expect(double.calls.filter(({ method, key }) => method === "GET" && key.endsWith(".parquet")).length).toBe(fetched);
    await double.stop();
    expect(await countRows(cold)).toEqual({ n: rows, d: rows });
    await double.start();
    await cold.stop("SIGKILL");
    const tiny = await serve(double, ["--parquet-cache-size", "100b"], server.folder);
    const response = await fetch(`${tiny.url}/api/v3/query_sql?db=db&q=${encodeURIComponent("SELECT * FROM m")}`);
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining("the local cache holds 100")]);
  });
});

describe.each(["deno", "bun"] as const)("on %s", (runtime) => {
  it("a server keeps its rows in a bucket", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    const start = async (): Promise<TestServer> => {
      const server = await startServer({ runtime, flags: [...double.flags, "--wal-object-store", "--wal-snapshot-size", "3", "--wal-flush-interval", "50ms"] });
      servers.push(server);
      folders.push(server.folder);
      return server;
    };
    const first = await start();
    let rows = 0;
    for (let time = 0; time < 6; time++) rows += await writeRows(first);
    await first.stop("SIGKILL");
    expect(await countRows(await start())).toEqual({ n: rows, d: rows });
  });
});

describe("a start that cannot work", () => {
  const start = (double: S3Double, change: Record<string, string> = {}, more: readonly string[] = []): { status: number | null; said: string } => {
    const folder = temporaryFolder();
    folders.push(folder);
    const flags = double.flags.map((word, index) => change[double.flags[index - 1] ?? ""] ?? word);
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM_PATH, "serve", "--node-id", "n0", "--data-dir", folder, "--http-bind", "127.0.0.1:0", "--without-auth", ...flags, ...SOON, ...more], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
    return { status, said: stdout + stderr };
  };

  it("says why in a sentence, with what to do, and shows no secret", { timeout: 60_000 }, async () => {
    const gone = await newDouble();
    await gone.stop();
    const unreachable = start(gone);
    expect(unreachable).toMatchObject({ status: 1, said: expect.stringMatching(/Serve command failed: .*the s3 bucket 'bucket' at http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED .*\nhint: check --aws-endpoint and the network\n/) });
    expect(unreachable.said).not.toContain(gone.secretAccessKey);
  });

  it("with a wrong secret", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    const { status, said } = await startAside(double, { "--aws-secret-access-key": "wrongsecretwrongsecret" });
    expect({ status, said }).toMatchObject({ status: 1, said: expect.stringContaining("hint: check --aws-secret-access-key and --aws-default-region") });
    for (const secret of [double.secretAccessKey, "wrongsecretwrongsecret"]) expect(said).not.toContain(secret);
  });

  it("on a store that ignores If-None-Match", { timeout: 60_000 }, async () => {
    const double = await newDouble({ conditionalPuts: false });
    expect(await startAside(double)).toMatchObject({ status: 1, said: expect.stringContaining("The object store ignores If-None-Match") });
  });

  it("on a prefix of another system, which stays as it is", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    double.objects.set("node0/catalog/v3/snapshot", { bytes: new Uint8Array([1]), metadata: {} });
    expect(await startAside(double)).toMatchObject({ status: 1, said: expect.stringContaining("holds a catalog of another system") });
    expect([...double.objects.keys()]).toEqual(["node0/catalog/v3/snapshot"]);
  });

  /** Not `spawnSync`: the double lives in this process and must answer. */
  async function startAside(double: S3Double, change: Record<string, string> = {}): Promise<{ status: number; said: string }> {
    const flags = double.flags.map((word, index) => change[double.flags[index - 1] ?? ""] ?? word);
    const said = await startServer({ flags: [...flags, ...SOON] }).then(
      (server) => (servers.push(server), "it started"),
      (error: Error) => error.message,
    );
    return { status: Number(/The server ended with (\d+)/.exec(said)?.[1] ?? 0), said };
  }
});

describe("changing where the WAL lies", () => {
  it("is refused as long as rows would be left behind, and works after a snapshot", { timeout: 60_000 }, async () => {
    const double = await newDouble();
    const local = await serve(double, []);
    await writeRows(local);
    await local.stop("SIGKILL");
    await expect(serve(double, ["--wal-object-store"], local.folder)).rejects.toThrow("The WAL on this machine holds rows that are in no Parquet file yet");
    await expect(serve(await newDouble(), [], local.folder)).rejects.toThrow("belongs to another catalog");
    const emptied = await serve(double, OFTEN, local.folder);
    await until("a snapshot", async () => (await metric(emptied, "tidemark_buffer_rows")) === 0);
    await emptied.stop("SIGKILL");
    const far = await serve(double, ["--wal-object-store"], local.folder);
    await writeRows(far);
    expect(await countRows(far)).toEqual({ n: 20, d: 20 });
    await far.stop("SIGKILL");
    await expect(serve(double, [], local.folder)).rejects.toThrow("The WAL in the object store holds rows that are in no Parquet file yet");
  });
});
