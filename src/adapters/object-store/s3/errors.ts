/** What went wrong with a request, in a sentence that holds no secret. */
import { DatabaseError } from "../../../core/errors/database-error.ts";
import { ERROR_TEXT_MAX } from "../limits.ts";
import type { S3Credentials, S3Settings } from "./settings.ts";
import { elementText } from "./xml.ts";

export interface Failure {
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  /** S3's word, such as `NoSuchBucket`; empty without one. */
  readonly code: string;
  readonly text: string;
}

/** 409: two conditional puts met, and neither won. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 409, 429]);
const RETRIED_CODES: ReadonlySet<string> = new Set(["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted", "ConditionalRequestConflict"]);

export function mayPass({ status, code }: Failure): boolean {
  return status === undefined || status >= 500 || RETRIED_STATUS.has(status) || RETRIED_CODES.has(code);
}

export function failureOfAnswer(status: number, body: string): Failure {
  const code = elementText(body, "Code") ?? "";
  return { status, code, text: elementText(body, "Message") ?? `status ${status}` };
}

/** `fetch` hides the reason in the cause, sometimes in several. */
export function failureOfThrown(error: unknown): Failure {
  let text = "";
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const errors: unknown = "errors" in at ? at.errors : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const said = first instanceof Error ? first.message : at.message;
    if (said !== "") text = said;
  }
  return { status: undefined, code: "", text: text === "" ? String(error) : text };
}

export const storeName = ({ bucket, endpoint }: Pick<S3Settings, "bucket" | "endpoint">): string => `s3 bucket '${bucket}' at ${endpoint.origin}`;

const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: "create the bucket, or check --bucket",
  InvalidAccessKeyId: "check --aws-access-key-id",
  SignatureDoesNotMatch: "check --aws-secret-access-key and --aws-default-region",
  AuthorizationHeaderMalformed: "check --aws-default-region",
  PermanentRedirect: "check --aws-default-region and --aws-endpoint: the bucket lies elsewhere",
  ExpiredToken: "renew the session token or the credentials file",
  InvalidToken: "check --aws-session-token",
  RequestTimeTooSkewed: "set this machine's clock",
  AccessDenied: "the key needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on this bucket",
};

/** `what`: what was tried, such as "Reading 'n0/catalog'". */
export function storeError(what: string, failure: Failure, settings: Pick<S3Settings, "bucket" | "endpoint">, credentials: S3Credentials | undefined): DatabaseError {
  const { status, code, text } = failure;
  const said = withoutSecrets(`${code}${code === "" ? "" : ": "}${text}`, credentials).slice(0, ERROR_TEXT_MAX);
  const how = status === undefined ? "cannot be reached" : mayPass(failure) ? "is not available" : "refuses the request";
  const unknown = status === undefined ? "check --aws-endpoint and the network" : mayPass(failure) ? "it may work again in a moment" : "check the --aws- flags and the bucket's policy";
  return new DatabaseError("object_store.unavailable", {
    message: `${what} failed: the ${storeName(settings)} ${how}: ${said}`,
    hint: HINTS[code] ?? unknown,
    details: { store: "s3", bucket: settings.bucket, ...(status === undefined ? {} : { status }), ...(code === "" ? {} : { code }) },
  });
}

/** Some stores echo what was sent. */
export function withoutSecrets(text: string, credentials: S3Credentials | undefined): string {
  const secrets = [credentials?.secretAccessKey, credentials?.sessionToken, credentials?.accessKeyId].filter((secret) => secret !== undefined && secret !== "");
  return secrets.reduce<string>((clean, secret) => clean.replaceAll(secret as string, "***"), text);
}
