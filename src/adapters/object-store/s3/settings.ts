/** What an S3 store needs to know and to be given. */
import type { Clock } from "../../../ports/clock.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface S3Settings {
  readonly bucket: string;
  readonly region: string;
  /** Of the service, without the bucket: objects are addressed as `<endpoint>/<bucket>/<path>`. */
  readonly endpoint: URL;
  /** Asked before each request; undefined: requests are not signed. */
  readonly credentials: () => Promise<S3Credentials | undefined>;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Unique; marks our own puts. */
  readonly randomName: () => string;
  readonly connectionsMax?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  readonly retriesMax?: number | undefined;
  readonly retryTimeoutMs?: number | undefined;
  /** Called for each attempt after the first. */
  readonly onRetry?: (() => void) | undefined;
}
