/** Flags of `serve` about the object store (spec: storage §7, cli §3.1). */
import type { FlagSpec } from "./command.ts";

const both = (name: string): readonly string[] => [`INFLUXDB3_OBJECT_STORE_${name}`, `OBJECT_STORE_${name}`];

export const OBJECT_STORE_FLAGS: readonly FlagSpec[] = [
  {
    name: "object-store",
    value: "KIND",
    summary: "Where durable data goes: file, s3 (any store that speaks its API) or memory",
    env: ["INFLUXDB3_OBJECT_STORE"],
    defaultText: "file",
    choices: ["file", "memory", "memory-throttled", "s3", "google", "azure"],
    hasUnavailableChoices: true,
  },
  {
    name: "data-dir",
    value: "DIR",
    summary: "Folder of the file object store; with s3: of the WAL and of cached files. Created when missing",
    env: ["INFLUXDB3_DB_DIR", "INFLUXDB3_DATA_DIR"],
  },
  { name: "bucket", value: "NAME", summary: "Bucket of the s3 object store", env: ["INFLUXDB3_BUCKET"] },
  { name: "aws-access-key-id", value: "ID", summary: "Key of the s3 object store; better set in the environment", env: ["AWS_ACCESS_KEY_ID"] },
  { name: "aws-secret-access-key", value: "SECRET", summary: "Its secret; better set in the environment, since all users of a machine see flags", env: ["AWS_SECRET_ACCESS_KEY"] },
  { name: "aws-session-token", value: "TOKEN", summary: "Token of temporary keys", env: ["AWS_SESSION_TOKEN"] },
  { name: "aws-credentials-file", value: "FILE", summary: "JSON file with the keys, read again at their expiry or hourly; beats the other flags", env: ["AWS_CREDENTIALS_FILE"] },
  { name: "aws-default-region", value: "REGION", summary: "Region of the bucket", env: ["AWS_DEFAULT_REGION"], defaultText: "us-east-1" },
  { name: "aws-endpoint", value: "URL", summary: "Address of a store other than Amazon's; objects are at URL/BUCKET/…", env: ["AWS_ENDPOINT"] },
  { name: "aws-allow-http", summary: "Allow an endpoint without encryption", env: ["AWS_ALLOW_HTTP"] },
  { name: "aws-skip-signature", summary: "Send no signature, for a store without keys", env: ["AWS_SKIP_SIGNATURE"] },
  { name: "wal-object-store", summary: "Keep the WAL in the s3 object store too, so that losing this machine loses nothing acknowledged", env: ["TIDEMARK_WAL_OBJECT_STORE"] },
  { name: "parquet-cache-size", value: "SIZE", summary: "Disk space for files of the s3 object store that queries read", env: ["TIDEMARK_PARQUET_CACHE_SIZE"], defaultText: "1gb" },
  { name: "object-store-connection-limit", value: "COUNT", summary: "Requests to the s3 object store at once", env: both("CONNECTION_LIMIT"), defaultText: "64" },
  { name: "object-store-request-timeout", value: "DURATION", summary: "Longest request to the s3 object store", env: both("REQUEST_TIMEOUT"), defaultText: "30s" },
  { name: "object-store-max-retries", value: "COUNT", summary: "Attempts after a failed request to it", env: both("MAX_RETRIES"), defaultText: "6" },
  { name: "object-store-retry-timeout", value: "DURATION", summary: "No attempt begins later than this after the first", env: both("RETRY_TIMEOUT"), defaultText: "10s" },
];
