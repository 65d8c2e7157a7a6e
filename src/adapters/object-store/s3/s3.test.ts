// Goal: the S3 store keeps the contract on a store that pages, fails, loses answers and refuses; no failure shows a secret.
// Method: a double on loopback that verifies every signature; retries run on the real clock with tiny pauses.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3Double, type S3Call } from "../../../../test/support/s3-double.ts";
import type { ObjectStore } from "../../../ports/object-store.ts";
import { OBJECT_STORE_CONTRACT } from "../../../testing/object-store-contract.ts";
import { VirtualClock } from "../../../testing/virtual-clock.ts";
import { createSystemClock } from "../../system/clock.ts";
import { PART_BYTES } from "../limits.ts";
import { credentialsFromFile } from "./credentials.ts";
import type { S3Settings } from "./settings.ts";
import { createS3ObjectStore } from "./store.ts";
import { elementText, readListing } from "./xml.ts";

const double = new S3Double({ pageSize: 2 });
let retries = 0;
let names = 0;
beforeAll(() => double.start());
afterAll(() => double.stop());
beforeEach(() => {
  retries = 0;
});
afterEach(() => {
  double.fault = () => undefined;
  double.objects.clear();
  double.calls.length = 0;
});

const clock = createSystemClock();
const settings = (more: Partial<S3Settings> = {}): S3Settings => ({
  bucket: double.bucket, region: "us-east-1", endpoint: new URL(double.url), clock, random: () => 0.001, randomName: () => `mark-${names++}`,
  credentials: async () => ({ accessKeyId: double.accessKeyId, secretAccessKey: double.secretAccessKey }), onRetry: () => void retries++, ...more,
});
const store = (more: Partial<S3Settings> = {}): ObjectStore => createS3ObjectStore(settings(more));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The fault for the first `times` calls that `matches`. */
function failing(times: number, fault: ReturnType<S3Double["fault"]>, matches: (call: S3Call) => boolean = () => true): void {
  let left = times;
  double.fault = (call) => (matches(call) && left-- > 0 ? fault : undefined);
}

describe("the s3 object store", () => {
  it.each(OBJECT_STORE_CONTRACT)("$name", ({ check }) => check(store()));

  it("lists in pages", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await store().put(`p/${name}`, bytes(name));
    double.calls.length = 0;
    expect(await store().list("p/")).toEqual(["p/a", "p/b", "p/c", "p/d", "p/e"]);
    expect(double.calls.length).toBe(3);
  });

  it.each(["../x", "a/../b", "/abs", "a//b", "", "a b", "a?b", "a#b", "a%2fb"])("refuses the path %j", async (path) => {
    await expect(store().put(path, bytes(""))).rejects.toThrow("not allowed");
    expect(double.calls).toEqual([]);
  });
});

describe("a put whose answer is lost", () => {
  it.each([false, true])("is a success when it is repeated (ifAbsent: %s)", async (ifAbsent) => {
    failing(2, "lose", ({ method }) => method === "PUT");
    await store().put("x", bytes("mine"), { ifAbsent });
    expect(double.text("x")).toBe("mine");
    expect(retries).toBe(2);
  });

  it("is told from an object of somebody else that came first", async () => {
    failing(1, "refuse", ({ method }) => method === "PUT");
    const other = store();
    double.fault = (call, index) => {
      if (index > 0 || call.method !== "PUT") return undefined;
      double.objects.set("x", { bytes: bytes("mine") as Uint8Array<ArrayBuffer>, metadata: {} });
      return "refuse";
    };
    await expect(other.put("x", bytes("mine"), { ifAbsent: true })).rejects.toMatchObject({ code: "object_store.exists" });
  });

  it("is a success when the last step of an upload in parts is repeated", async () => {
    failing(1, "lose", ({ method, query }) => method === "POST" && query.has("uploadId"));
    await store().put("big", new Uint8Array(PART_BYTES + 1).fill(7));
    expect(double.objects.get("big")?.bytes.length).toBe(PART_BYTES + 1);
  });
});

describe("an upload in parts", () => {
  it("gives back the same bytes, and sends a part that failed again alone", async () => {
    const big = new Uint8Array(2 * PART_BYTES + 3).map((_, index) => index % 251);
    failing(1, { status: 503, code: "SlowDown" }, ({ query }) => query.get("partNumber") === "2");
    await store().put("big", big);
    expect(double.calls.map(({ query }) => query.get("partNumber")).filter((part) => part !== null)).toEqual(["1", "2", "2", "3"]);
    const found = (await store().get("big")) as Uint8Array;
    expect(found.length).toBe(big.length);
    expect(found.every((value, index) => value === index % 251)).toBe(true);
    expect(double.uploads.size).toBe(0);
  });

  it("leaves nothing behind when it fails for good", async () => {
    failing(99, { status: 500, code: "InternalError" }, ({ query }) => query.has("partNumber"));
    await expect(store({ retriesMax: 1 }).put("big", new Uint8Array(PART_BYTES + 1))).rejects.toMatchObject({ code: "object_store.unavailable" });
    expect([double.objects.has("big"), double.uploads.size]).toEqual([false, 0]);
  });
});

describe("a store that fails", () => {
  it.each([
    [{ status: 500, code: "InternalError" }, true], [{ status: 503, code: "SlowDown" }, true], [{ status: 429, code: "" }, true], [{ status: 409, code: "ConditionalRequestConflict" }, true], ["refuse", true],
    [{ status: 403, code: "AccessDenied" }, false], [{ status: 400, code: "InvalidRequest" }, false], [{ status: 301, code: "PermanentRedirect" }, false],
  ] as const)("%j is tried again: %s", async (fault, again) => {
    failing(1, fault);
    const outcome = await store().put("x", bytes("1"), { ifAbsent: true }).then(() => "stored", (error: { code: string }) => error.code);
    expect([outcome, retries]).toEqual(again ? ["stored", 1] : ["object_store.unavailable", 0]);
  });

  it("is asked a bounded number of times, with pauses that grow and are random", async () => {
    const virtual = new VirtualClock();
    const pauses: number[] = [];
    const counting = { nowNs: () => clock.nowNs(), monotonicMs: () => virtual.monotonicMs(), after: (ms: number, action: () => void) => (ms >= 20_000 ? clock.after(ms, action) : (pauses.push(ms), queueMicrotask(action), () => undefined)) };
    double.fault = () => ({ status: 503, code: "SlowDown" });
    const draws = [0.5, 0.25, 1, 0.5];
    await expect(store({ clock: counting, random: () => draws.shift() ?? 0, retriesMax: 4 }).get("x")).rejects.toMatchObject({ code: "object_store.unavailable" });
    expect(pauses).toEqual([50, 50, 400, 400]);
    expect(double.calls.length).toBe(5);
  });

  it("is asked no more once the time for retries is over", async () => {
    double.fault = () => ({ status: 503, code: "SlowDown" });
    await expect(store({ retryTimeoutMs: 50, random: () => 0.4, retriesMax: 1_000 }).get("x")).rejects.toMatchObject({ code: "object_store.unavailable" });
    expect(double.calls.length).toBeLessThan(5);
  });

  it("that never answers is given up after the time limit", async () => {
    failing(1, "hang");
    await store({ requestTimeoutMs: 100 }).put("x", bytes("1"));
    expect([double.text("x"), retries]).toEqual(["1", 1]);
    double.fault = () => "hang";
    await expect(store({ requestTimeoutMs: 50, retriesMax: 0 }).get("x")).rejects.toThrow("no answer within 50 ms");
  });

  it("that is not there, or refuses, is told in a sentence with what to do", async () => {
    const gone = await new S3Double().start();
    await gone.stop();
    await expect(store({ endpoint: new URL(gone.url), retriesMax: 0 }).list("n0/")).rejects.toMatchObject({
      code: "object_store.unavailable", message: `Listing 'n0/' failed: the s3 bucket 'bucket' at ${gone.url} cannot be reached: connect ECONNREFUSED ${gone.url.slice(7)}`, hint: "check --aws-endpoint and the network",
    });
    await expect(store({ bucket: "other" }).get("x")).rejects.toMatchObject({ message: expect.stringContaining("NoSuchBucket: The specified bucket does not exist"), hint: "create the bucket, or check --bucket" });
    await expect(store({ region: "mars-1" }).get("x")).rejects.toMatchObject({ hint: "check --aws-default-region" });
    const wrong = { accessKeyId: double.accessKeyId, secretAccessKey: "wrong" };
    await expect(store({ credentials: async () => wrong }).get("x")).rejects.toMatchObject({ hint: "check --aws-secret-access-key and --aws-default-region" });
    await expect(store({ credentials: async () => undefined }).get("x")).rejects.toMatchObject({ message: expect.stringContaining("refuses the request: AccessDenied") });
  });

  it("shows no secret, also when it echoes them", async () => {
    const secret = { accessKeyId: "AKIASECRETID", secretAccessKey: "verysecretkey", sessionToken: "verysecrettoken" };
    double.fault = () => ({ status: 403, code: "SignatureDoesNotMatch", text: `key AKIASECRETID secret verysecretkey token verysecrettoken ${"x".repeat(9_000)}` });
    const error = (await store({ credentials: async () => secret }).put("x", bytes("1")).catch((caught: unknown) => caught)) as Error & { toRecord(): unknown };
    const said = `${JSON.stringify(error.toRecord())} ${error.stack} ${String(error.cause)}`;
    for (const value of Object.values(secret)) expect(said).not.toContain(value);
    expect(error.message.length).toBeLessThan(600);
  });
});

it("uses no more connections than it may, and every request gets its turn", async () => {
  const limited = store({ connectionsMax: 3, requestTimeoutMs: 200, random: () => 0 });
  failing(3, "hang");
  const puts = Promise.all(Array.from({ length: 20 }, (_, index) => limited.put(`c/${index}`, bytes("x"))));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(double.calls.length).toBe(3);
  await puts;
  expect((await limited.list("c/")).length).toBe(20);
});

describe("a credentials file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-credentials-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "file.json");
  const write = (value: unknown): void => writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));

  it("is used and read again at its expiry, or hourly", async () => {
    const virtual = new VirtualClock();
    const expiry = (minutes: number): string => new Date(Number(virtual.nowNs() / 1_000_000n) + minutes * 60_000).toISOString();
    const ask = credentialsFromFile(file, virtual);
    write({ aws_access_key_id: "a", aws_secret_access_key: "b", aws_session_token: "c", expiry: expiry(10) });
    expect(await ask()).toEqual({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c" });
    write({ aws_access_key_id: "d", aws_secret_access_key: "e" });
    await virtual.advance(8 * 60_000);
    expect((await ask()).accessKeyId).toBe("a");
    await virtual.advance(2 * 60_000);
    expect(await ask()).toEqual({ accessKeyId: "d", secretAccessKey: "e", sessionToken: undefined });
    write({ aws_access_key_id: "f", aws_secret_access_key: "g" });
    await virtual.advance(59 * 60_000);
    expect((await ask()).accessKeyId).toBe("d");
    await virtual.advance(2 * 60_000);
    expect((await ask()).accessKeyId).toBe("f");
  });

  it("that is half written does no harm while the old credentials are good", async () => {
    const virtual = new VirtualClock();
    const ask = credentialsFromFile(file, virtual);
    write({ aws_access_key_id: "a", aws_secret_access_key: "b", expiry: Number(virtual.nowNs() / 1_000_000_000n) + 600 });
    await ask();
    write('{"aws_access_key_id": "n');
    await virtual.advance(560_000);
    expect((await ask()).accessKeyId).toBe("a");
    await virtual.advance(60_000);
    await expect(ask()).rejects.toThrow("it is not a JSON object");
    write({ aws_access_key_id: "new", aws_secret_access_key: "b" });
    expect((await ask()).accessKeyId).toBe("new");
  });

  it.each([["{secret-text", "it is not a JSON object"], [{ aws_access_key_id: "secret-text" }, "it lacks aws_access_key_id or aws_secret_access_key"]])("%j: says why it cannot be used, without its content", async (value, why) => {
    write(value);
    const error = (await credentialsFromFile(file, clock)().catch((caught: unknown) => caught)) as Error;
    expect(error.message).toContain(why);
    expect(`${error.stack} ${String(error.cause)}`).not.toContain("secret-text");
  });

  it("that is missing is named", async () => expect(credentialsFromFile(join(folder, "none"), clock)()).rejects.toThrow("cannot be used: ENOENT"));
});

describe("S3's XML", () => {
  it("is read with its escapes, and nothing else is taken for it", () => {
    expect(elementText("<E><Code>a&lt;&#x41;&#66;&unknown;</Code></E>", "Code")).toBe("a<AB&unknown;");
    expect(readListing("<html></html>")).toBeUndefined();
    expect(readListing('<ListBucketResult xmlns="x"><IsTruncated>false</IsTruncated><Contents><Key>a&amp;b</Key></Contents></ListBucketResult>')).toEqual({ keys: ["a&b"], nextToken: undefined });
  });
});
