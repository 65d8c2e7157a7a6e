/** Where durable data goes: the object store and its settings (spec: storage §7, cli §3.1). */
import { DatabaseError } from "../errors/database-error.ts";
import { parseDuration } from "./humantime.ts";
import { parseMemorySize } from "./memory-size.ts";
import type { ServeSettings, ServeSurroundings } from "./serve-config.ts";

/** Secrets of it must reach no log and no message. */
export interface S3Config {
  readonly bucket: string;
  readonly region: string;
  /** Base address; objects are at `<endpoint>/<bucket>/<path>`. */
  readonly endpoint: string;
  /** Undefined: requests are not signed. */
  readonly access: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string | undefined } | { readonly credentialsFile: string } | undefined;
  /** Undefined: the adapter's own defaults. */
  readonly connectionsMax: number | undefined;
  readonly requestTimeoutMs: number | undefined;
  readonly retriesMax: number | undefined;
  readonly retryTimeoutMs: number | undefined;
}

export type StoreConfig =
  | { readonly kind: "file"; readonly dataDir: string }
  | { readonly kind: "memory"; readonly throttled: boolean }
  | {
      readonly kind: "s3";
      /** Holds the WAL, unless that is in the store, and the cache of Parquet files. */
      readonly dataDir: string;
      readonly s3: S3Config;
      readonly walInStore: boolean;
      readonly parquetCacheBytes: number;
    };

const DEFAULT_REGION = "us-east-1";
const DEFAULT_PARQUET_CACHE_BYTES = 1024 ** 3;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
const REGION = /^[A-Za-z0-9-]{1,64}$/;
const ENDPOINT = /^(https?):\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/i;
const DURATION_MS_MAX = 2_147_483_647;

/** Flags that would change where data lies, so they are not ignored with another store. */
const S3_ONLY = ["bucket", "aws-endpoint", "aws-credentials-file", "wal-object-store"] as const;

function misconfigured(what: string, hint: string): DatabaseError {
  return new DatabaseError("server.misconfigured", { message: `Cannot parse object store config: ${what}`, hint });
}

/** Throws `server.misconfigured`. */
export function parseStoreConfig(settings: ServeSettings, around: Pick<ServeSurroundings, "defaultDataDir" | "resolvePath">): StoreConfig {
  const kind = (settings.text("object-store") ?? "file").toLowerCase();
  const dataDir = around.resolvePath(settings.text("data-dir") ?? around.defaultDataDir);
  if (kind === "s3") {
    return {
      kind, dataDir, s3: parseS3(settings, around), walInStore: settings.isSet("wal-object-store"),
      parquetCacheBytes: parseSize(settings, "parquet-cache-size") ?? DEFAULT_PARQUET_CACHE_BYTES,
    };
  }
  if (!["memory", "memory-throttled", "file"].includes(kind)) {
    throw misconfigured(`the object store "${kind}" is not supported`, "use file, or s3 with any store that speaks S3's API and honours If-None-Match");
  }
  const needless = S3_ONLY.find((name) => settings.isSet(name));
  if (needless !== undefined) throw misconfigured(`--${needless} is of no use with the object store "${kind}"`, "add --object-store s3, or remove it");
  return kind === "file" ? { kind, dataDir } : { kind: "memory", throttled: kind === "memory-throttled" };
}

function parseS3(settings: ServeSettings, around: Pick<ServeSurroundings, "defaultDataDir" | "resolvePath">): S3Config {
  const bucket = settings.text("bucket");
  if (bucket === undefined) throw misconfigured("no bucket was named", "pass --bucket, or set INFLUXDB3_BUCKET");
  if (!BUCKET.test(bucket)) throw misconfigured(`"${bucket}" is no name of a bucket`, "use letters, digits, '.', '-' and '_'");
  const region = settings.text("aws-default-region") ?? DEFAULT_REGION;
  if (!REGION.test(region)) throw misconfigured(`"${region}" is no region`, "write it as in --aws-default-region us-east-1");
  return {
    bucket,
    region,
    endpoint: parseEndpoint(settings, region),
    access: parseAccess(settings, around),
    connectionsMax: parseCount(settings, "object-store-connection-limit", 1),
    requestTimeoutMs: parseMilliseconds(settings, "object-store-request-timeout"),
    retriesMax: parseCount(settings, "object-store-max-retries", 0),
    retryTimeoutMs: parseMilliseconds(settings, "object-store-retry-timeout"),
  };
}

function parseEndpoint(settings: ServeSettings, region: string): string {
  const text = settings.text("aws-endpoint");
  if (text === undefined) return `https://s3.${region}.amazonaws.com`;
  // The text is not shown: people put passwords into addresses.
  if (/^https?:\/\/[^/]*@/i.test(text)) throw misconfigured("--aws-endpoint holds a user name or a password", "pass the key by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  const match = ENDPOINT.exec(text);
  if (match === null) throw misconfigured("--aws-endpoint is no address of a service", "write it as in --aws-endpoint https://s3.example.com:9000, without bucket");
  if (match[1]?.toLowerCase() === "http" && !settings.isSet("aws-allow-http")) throw misconfigured("--aws-endpoint is not encrypted", "use https, or pass --aws-allow-http if the network is yours");
  return text;
}

function parseAccess(settings: ServeSettings, around: Pick<ServeSurroundings, "defaultDataDir" | "resolvePath">): S3Config["access"] {
  if (settings.isSet("aws-skip-signature")) return undefined;
  const file = settings.text("aws-credentials-file");
  if (file !== undefined) return { credentialsFile: around.resolvePath(file) };
  const [accessKeyId, secretAccessKey] = [settings.text("aws-access-key-id"), settings.text("aws-secret-access-key")];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw misconfigured(
      `no ${accessKeyId === undefined ? "access key id" : "secret access key"} was given`,
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass --aws-credentials-file; --aws-skip-signature for a store without keys",
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken: settings.text("aws-session-token") };
}

function parseCount(settings: ServeSettings, name: string, min: number): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,4}$/.test(text) && Number(text) >= min) return Number(text);
  throw misconfigured(`"${text}" is not a number for --${name}`, `give a whole number from ${min} to 9999`);
}

function parseMilliseconds(settings: ServeSettings, name: string): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const ns = parseDuration(text);
  const ms = ns === undefined ? Number.NaN : Number(ns / 1_000_000n);
  if (ms >= 1 && ms <= DURATION_MS_MAX) return ms;
  throw misconfigured(`"${text}" is not a duration for --${name}`, `write it as in --${name} 30s`);
}

function parseSize(settings: ServeSettings, name: string): number | undefined {
  const text = settings.text(name);
  if (text === undefined) return undefined;
  const bytes = parseMemorySize(text, { bareUnit: "mb" });
  if (bytes !== undefined && bytes > 0) return bytes;
  throw misconfigured(`"${text}" is not a size for --${name}`, `write it as in --${name} 4gb`);
}
