// Goal: the contract holds on an S3 server that is not ours, and so does what it is for: a node that loses its machine loses
// nothing. Method: the contract's cases, uploads in parts, long listings and the built program against the server that
// TIDEMARK_TEST_S3_ENDPOINT names (docs/object-stores.md says how to run some), whose bucket may lose `node0/`; skipped without.
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { PART_BYTES } from "../../src/adapters/object-store/limits.ts";
import { createS3ObjectStore } from "../../src/adapters/object-store/s3/store.ts";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { OBJECT_STORE_CONTRACT } from "../../src/testing/object-store-contract.ts";
import { post, queryRows, removeFolder, startServer } from "../support/server.ts";

const endpoint = process.env["TIDEMARK_TEST_S3_ENDPOINT"];
const bucket = process.env["TIDEMARK_TEST_S3_BUCKET"] ?? "tidemark-test";
const region = process.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
const accessKeyId = process.env["AWS_ACCESS_KEY_ID"] ?? "";
const secretAccessKey = process.env["AWS_SECRET_ACCESS_KEY"] ?? "";

const open = (): ObjectStore =>
  createS3ObjectStore({
    bucket, region, endpoint: new URL(endpoint as string), clock: createSystemClock(), random: Math.random, randomName: randomUUID,
    credentials: async () => ({ accessKeyId, secretAccessKey }),
  });

const prefixes: string[] = [];

/** A part of the bucket that nobody else uses. */
function below(inner: ObjectStore): ObjectStore {
  const prefix = `test-${randomUUID()}/`;
  prefixes.push(prefix);
  return {
    get: (path) => inner.get(prefix + path),
    put: (path, bytes, options) => inner.put(prefix + path, bytes, options),
    list: async (start) => (await inner.list(prefix + start)).map((path) => path.slice(prefix.length)),
    delete: (path) => inner.delete(prefix + path),
  };
}

describe.skipIf(endpoint === undefined)(`an S3 server of others (${endpoint})`, () => {
  afterAll(async () => {
    for (const prefix of prefixes) for (const path of await open().list(prefix)) await open().delete(path);
  });

  it.each(OBJECT_STORE_CONTRACT)("$name", ({ check }) => check(below(open())));

  it("takes what goes up in parts", { timeout: 60_000 }, async () => {
    const store = below(open());
    const big = new Uint8Array(2 * PART_BYTES + 3).map((_, index) => index % 251);
    await store.put("big", big);
    expect(Buffer.compare((await store.get("big")) as Uint8Array, big)).toBe(0);
  });

  it("lists more than one page, sorted by bytes", { timeout: 120_000 }, async () => {
    const store = below(open());
    const names = Array.from({ length: 1_003 }, (_, index) => `p/${index}`);
    for (let from = 0; from < names.length; from += 50) await Promise.all(names.slice(from, from + 50).map((name) => store.put(name, new Uint8Array([1]))));
    expect(await store.list("p/")).toEqual(names.sort());
  });

  it("gives a node back on another machine, row for row", { timeout: 180_000 }, async () => {
    const node = "node0";
    prefixes.push(`${node}/`);
    for (const path of await open().list(`${node}/`)) await open().delete(path);
    const flags = [
      "--object-store", "s3", "--bucket", bucket, "--aws-endpoint", endpoint as string, "--aws-allow-http", "--aws-default-region", region,
      "--aws-access-key-id", accessKeyId, "--aws-secret-access-key", secretAccessKey, "--wal-object-store", "--wal-flush-interval", "20ms", "--wal-snapshot-size", "3",
    ];
    let stored = 0;
    for (let machine = 0; machine < 3; machine++) {
      const server = await startServer({ flags });
      try {
        if (machine > 0) expect(await queryRows(server, "db", "SELECT count(*) AS n, count(DISTINCT value) AS d FROM m")).toEqual([{ n: stored, d: stored }]);
        for (let body = 0; body < 20; body++) {
          const lines = Array.from({ length: 50 }, (_, line) => `m,host=h${line % 7} value=${stored + line}i ${1_700_000_000_000_000_000n + BigInt(stored + line)}`);
          expect(await post(server, "/api/v3/write_lp?db=db", lines.join("\n"))).toEqual({ status: 204, text: "" });
          stored += lines.length;
        }
      } finally {
        await server.stop("SIGKILL");
        removeFolder(server.folder);
      }
    }
    expect((await open().list(`${node}/dbs/`)).length).toBeGreaterThan(0);
  });
});
