// Goal: a user's way with caches: create by command line and HTTP, read in SQL, restart, delete; filled from files and
// buffer. Method: a real server whose first rows are in Parquet before the caches exist. Expectations: spec http-api §11,
// cli §4, query §2.5, storage §10.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, post, queryRows, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ flags: ["--wal-snapshot-size", "1"] });
  await write("cpu,host=a,region=eu usage=1,note=\"x\" 100\ncpu,host=b,region=eu usage=2 100\ncpu,host=a,region=eu usage=3 50");
  await eventually("the rows to be in files", async () => (/^tidemark_parquet_rows 3$/m.test(await (await fetch(`${server.url}/metrics`)).text()) ? true : undefined));
  const { folder } = server;
  await server.stop();
  server = await startServer({ folder });
  await write("cpu,host=c,region=us usage=4 90");
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

async function write(lines: string): Promise<void> {
  const answer = await post(server, "/api/v3/write_lp?db=db&precision=nanosecond", lines);
  expect(answer.text).toBe("");
}

const cli = (...words: string[]): ReturnType<typeof runCli> => runCli([...words, "--host", server.url]);
const rows = (sql: string): Promise<Record<string, unknown>[] | undefined> => queryRows(server, "db", sql);
const refusal = async (sql: string): Promise<string> => (await post(server, "/api/v3/query_sql", { db: "db", q: sql })).text;
const at = (ns: number): string => `1970-01-01T00:00:00.${String(ns).padStart(9, "0")}`;

const LAST = "/api/v3/configure/last_cache";
const DISTINCT = "/api/v3/configure/distinct_cache";

describe("last value caches", () => {
  it("hold the rows of files and buffer once they are created", async () => {
    const made = await post(server, LAST, { db: "db", table: "cpu", key_columns: ["host"] });
    expect(made.status).toBe(201);
    expect(JSON.parse(made.text)).toEqual({ table_id: 1, table: "cpu", id: 1, name: "cpu_host_last_cache", key_columns: [0], value_columns: { type: "all_non_key_columns" }, count: 1, ttl: 14400 });
    expect(await rows("SELECT * FROM last_cache('cpu') ORDER BY host")).toEqual([
      { host: "a", note: "x", region: "eu", time: at(100), usage: 1 },
      { host: "b", region: "eu", time: at(100), usage: 2 },
      { host: "c", region: "us", time: at(90), usage: 4 },
    ]);
  });

  it("follow each acknowledged write, not late ones, row by row", async () => {
    await write("cpu,host=c,region=us usage=9 80");
    expect(await rows("SELECT usage FROM last_cache('cpu') WHERE host = 'c'")).toEqual([{ usage: 4 }]);
    await write("cpu,host=a,region=eu usage=5 110");
    // `note` is NULL although an older row had it.
    expect(await rows("SELECT * FROM last_cache('cpu', 'cpu_host_last_cache') WHERE host IN ('a')")).toEqual([{ host: "a", region: "eu", time: at(110), usage: 5 }]);
    expect(await rows("SELECT host, max(usage) AS m FROM last_cache('cpu') AS l WHERE l.host != 'a' GROUP BY host ORDER BY host")).toEqual([{ host: "b", m: 2 }, { host: "c", m: 4 }]);
  });

  it("are refused as the reference refuses them", async () => {
    const create = async (body: object): Promise<readonly [number, string]> => {
      const { status, text } = await post(server, LAST, { db: "db", table: "cpu", name: "x", ...body });
      return [status, text];
    };
    expect(await create({ name: "cpu_host_last_cache", key_columns: ["host"] })).toEqual([409, "attempted to create a resource that already exists"]);
    expect((await create({ key_columns: ["usage"] }))[0]).toBe(400);
    expect((await create({ key_columns: ["nope"] }))[0]).toBe(400);
    expect((await create({ value_columns: ["nope"] }))[0]).toBe(400);
    expect((await create({ count: 0 }))[0]).toBe(400);
    expect((await create({ count: "1" }))[0]).toBe(400);
    expect((await create({ table: "nope" }))[0]).toBe(404);
    expect((await create({ db: "nope" }))[0]).toBe(404);
  });

  it("are named in SQL as the reference has it", async () => {
    expect(await refusal("SELECT * FROM last_cache('nope')")).toContain("provided table name is invalid");
    expect(await refusal("SELECT * FROM last_cache('cpu', 'nope')")).toContain("could not find cache for the given arguments");
    expect(await refusal("SELECT * FROM last_cache(1)")).toContain("first argument must be the table name as a string");
    expect(await refusal("SELECT * FROM last_cache('cpu', 1)")).toContain("second argument, if passed, must be the cache name as a string");
    expect(await refusal("SELECT * FROM distinct_cache('nope')")).toContain("provided table name (nope) is invalid");
    expect(await refusal("SELECT * FROM distinct_cache('cpu')")).toContain("could not find distinct value cache for the given arguments");
    expect(await refusal("SELECT * FROM read_csv('/etc/passwd')")).toContain("table function 'read_csv' not found");
  });
});

describe("the command line", () => {
  it("creates caches, says so, and says when they exist", async () => {
    const last = ["create", "last_cache", "-d", "db", "-t", "cpu", "--key-columns", "region,host", "--value-columns", "usage", "--count", "2", "--ttl", "1d", "two"];
    const made = await cli(...last);
    expect([made.code, made.stdout.startsWith("new cache created: {\n")]).toEqual([0, true]);
    expect(JSON.parse(made.stdout.slice("new cache created: ".length))).toMatchObject({ name: "two", key_columns: [1, 0], value_columns: { type: "explicit", columns: [2] }, count: 2, ttl: 86400 });
    expect(await cli(...last)).toMatchObject({ code: 0, stdout: "a cache already exists for the provided parameters\n" });
    expect((await cli(...last.map((word) => (word === "1d" ? "2d" : word)))).code).toBe(1);
    expect(await rows("SELECT * FROM last_cache('cpu', 'two') WHERE host = 'a' ORDER BY time")).toEqual([
      { region: "eu", host: "a", usage: 1, time: at(100) },
      { region: "eu", host: "a", usage: 5, time: at(110) },
    ]);
    // Two caches: a name is needed.
    expect(await refusal("SELECT * FROM last_cache('cpu')")).toContain("could not find cache for the given arguments");
    const distinct = await cli("create", "distinct_cache", "-d", "db", "-t", "cpu", "--columns", "region,host", "--max-age", "1000000h", "--max-cardinality", "10");
    expect(JSON.parse(distinct.stdout.slice("new cache created: ".length))).toEqual({
      table_id: 1, table_name: "cpu", cache_id: 3, cache_name: "cpu_region_host_distinct_cache", column_ids: [1, 0], max_cardinality: 10, max_age_seconds: 3_600_000_000,
    });
  });
});

describe("distinct value caches", () => {
  it("answer in the order of the tree, with tests on their columns", async () => {
    const all = [{ region: "eu", host: "a" }, { region: "eu", host: "b" }, { region: "us", host: "c" }];
    expect(await rows("SELECT * FROM distinct_cache('cpu')")).toEqual(all);
    await write("cpu,region=eu usage=1 120");
    expect(await rows("SELECT * FROM distinct_cache('cpu') WHERE region = 'eu'")).toEqual([{ region: "eu" }, ...all.slice(0, 2)]);
    expect(await rows("SELECT host FROM distinct_cache('cpu') WHERE host NOT IN ('a', 'b')")).toEqual([{ host: "c" }]);
  });

  it("are refused as the reference refuses them", async () => {
    const create = async (body: object): Promise<number> => (await post(server, DISTINCT, { db: "db", table: "cpu", columns: ["host"], ...body })).status;
    expect([await create({ columns: [] }), await create({ columns: ["usage"] }), await create({ columns: ["time"] }), await create({ max_cardinality: 0 })]).toEqual([400, 400, 400, 400]);
    expect([await create({ table: "nope" }), await create({ name: "cpu_region_host_distinct_cache" })]).toEqual([404, 409]);
  });
});

describe("after a restart", () => {
  it("the caches are there, listed, and hold what the log holds", async () => {
    const { folder } = server;
    await server.stop("SIGKILL");
    server = await startServer({ folder });
    expect(await rows("SELECT * FROM system.last_caches ORDER BY name")).toEqual([
      { table: "cpu", name: "cpu_host_last_cache", key_column_ids: [0], key_column_names: ["host"], count: 1, ttl: 14400 },
      { table: "cpu", name: "two", key_column_ids: [1, 0], key_column_names: ["region", "host"], value_column_ids: [2], value_column_names: ["usage"], count: 2, ttl: 86400 },
    ]);
    expect(await rows("SELECT * FROM system.distinct_caches")).toEqual([
      { table: "cpu", name: "cpu_region_host_distinct_cache", column_ids: [1, 0], column_names: ["region", "host"], max_cardinality: 10, max_age_seconds: 3_600_000_000 },
    ]);
    // `b` stands in a file only, and its time is older than the time to live; `a` and `c` come back from the log.
    expect(await rows("SELECT host, usage FROM last_cache('cpu', 'cpu_host_last_cache') ORDER BY host")).toEqual([{ host: "a", usage: 5 }, { host: "c", usage: 4 }]);
    expect(await rows("SELECT * FROM distinct_cache('cpu') WHERE region = 'us'")).toEqual([{ region: "us", host: "c" }]);
    expect((await rows("SELECT * FROM distinct_cache('cpu')"))?.length).toBe(4);
  });

  it("they can be deleted by command line and HTTP, and go with their table", async () => {
    expect(await cli("delete", "last_cache", "-d", "db", "-t", "cpu", "two")).toMatchObject({ code: 0, stdout: "last cache deleted successfully\n" });
    expect((await cli("delete", "last_cache", "-d", "db", "-t", "cpu", "two")).stderr).toContain("404");
    const removed = await fetch(`${server.url}${DISTINCT}?db=db&table=cpu&name=cpu_region_host_distinct_cache`, { method: "DELETE" });
    expect(removed.status).toBe(200);
    expect(await rows("SELECT name FROM system.last_caches")).toEqual([{ name: "cpu_host_last_cache" }]);
    await fetch(`${server.url}/api/v3/configure/table?db=db&table=cpu`, { method: "DELETE" });
    expect(await rows("SELECT name FROM system.last_caches")).toEqual([]);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^tidemark_value_cache_used_bytes 0$/m);
  });
});
