import { describe, expect, it } from "vitest";
import type { ServeSettings } from "./serve-config.ts";
import { parseStoreConfig, type StoreConfig } from "./store-config.ts";

const around = { defaultDataDir: "/home/u/.influxdb", resolvePath: (path: string) => (path.startsWith("/") ? path : `/here/${path}`) };

/** `true` stands for a switch. */
function parse(values: Readonly<Record<string, string | true>>): StoreConfig {
  const settings: ServeSettings = { text: (name) => (typeof values[name] === "string" ? String(values[name]) : undefined), list: () => [], isSet: (name) => name in values, count: () => 0 };
  return parseStoreConfig(settings, around);
}

const keys = { "aws-access-key-id": "AKID", "aws-secret-access-key": "s3cr3t" };
const s3 = { "object-store": "s3", bucket: "data", ...keys };

describe("parseStoreConfig()", () => {
  it("knows the kinds of spec storage §7 in any case", () => {
    expect(parse({})).toEqual({ kind: "file", dataDir: "/home/u/.influxdb" });
    expect(parse({ "object-store": "MEMORY" })).toEqual({ kind: "memory", throttled: false });
    expect(parse({ "object-store": "memory-throttled" })).toEqual({ kind: "memory", throttled: true });
  });

  it("takes s3 with Amazon's address and the reference's region, WAL on this machine", () =>
    expect(parse({ ...s3, "data-dir": "d" })).toEqual({
      kind: "s3", dataDir: "/here/d", walInStore: false, parquetCacheBytes: 1_073_741_824,
      s3: {
        bucket: "data", region: "us-east-1", endpoint: "https://s3.us-east-1.amazonaws.com", access: { accessKeyId: "AKID", secretAccessKey: "s3cr3t", sessionToken: undefined },
        connectionsMax: undefined, requestTimeoutMs: undefined, retriesMax: undefined, retryTimeoutMs: undefined,
      },
    }));

  it("takes every setting", () =>
    expect(
      parse({
        ...s3, "aws-endpoint": "http://[::1]:9000/base", "aws-allow-http": true, "aws-default-region": "eu-1", "aws-session-token": "t", "wal-object-store": true, "parquet-cache-size": "20mb",
        "object-store-connection-limit": "3", "object-store-request-timeout": "2s", "object-store-max-retries": "0", "object-store-retry-timeout": "1m",
      }),
    ).toMatchObject({
      walInStore: true, parquetCacheBytes: 20_971_520,
      s3: { endpoint: "http://[::1]:9000/base", region: "eu-1", access: { sessionToken: "t" }, connectionsMax: 3, requestTimeoutMs: 2_000, retriesMax: 0, retryTimeoutMs: 60_000 },
    }));

  it("prefers a credentials file to keys, and no signature to both", () => {
    expect(parse({ ...s3, "aws-credentials-file": "k.json" })).toMatchObject({ s3: { access: { credentialsFile: "/here/k.json" } } });
    expect(parse({ ...s3, "aws-skip-signature": true })).toMatchObject({ s3: { access: undefined } });
  });

  it.each([
    [{ "object-store": "google", bucket: "bb" }, 'the object store "google" is not supported'],
    [{ "object-store": "azure" }, 'the object store "azure" is not supported'],
    [{ bucket: "bb" }, '--bucket is of no use with the object store "file"'],
    [{ "object-store": "memory", "wal-object-store": true }, "--wal-object-store is of no use"],
    [{ "object-store": "s3", ...keys }, "no bucket was named"],
    [{ ...s3, bucket: "../x" }, '"../x" is no name of a bucket'],
    [{ "object-store": "s3", bucket: "bb" }, "no access key id was given"],
    [{ "object-store": "s3", bucket: "bb", "aws-access-key-id": "a" }, "no secret access key was given"],
    [{ ...s3, "aws-endpoint": "http://h:1" }, "--aws-endpoint is not encrypted"],
    [{ ...s3, "aws-endpoint": "ftp://h" }, "--aws-endpoint is no address of a service"],
    [{ ...s3, "aws-endpoint": "https://h/?x" }, "--aws-endpoint is no address of a service"],
    [{ ...s3, "object-store-max-retries": "-1" }, '"-1" is not a number'],
    [{ ...s3, "object-store-request-timeout": "soon" }, '"soon" is not a duration'],
    [{ ...s3, "parquet-cache-size": "much" }, '"much" is not a size'],
  ] as const)("refuses %j", (values, message) => expect(() => parse(values)).toThrow(`Cannot parse object store config: ${message}`));

  it("never shows what might be a password", () => {
    for (const endpoint of ["https://user:hunter2@h", "hunter2://x", "https://h/hunter2?hunter2"]) expect(() => parse({ ...s3, "aws-endpoint": endpoint })).toThrow(/^(?!.*hunter2)/);
  });
});
