/**
 * Credentials in a file of JSON (spec: cli §3.1): `aws_access_key_id`, `aws_secret_access_key`, `aws_session_token`,
 * `expiry`. Read again at their expiry or hourly, so that another program may renew them. No message shows the content.
 */
import { readFile } from "node:fs/promises";
import { DatabaseError } from "../../../core/errors/database-error.ts";
import type { Clock } from "../../../ports/clock.ts";
import { CREDENTIALS_MARGIN_MS, CREDENTIALS_MS_MAX, CREDENTIALS_RETRY_MS } from "../limits.ts";
import type { S3Credentials } from "./settings.ts";

interface Kept {
  readonly credentials: S3Credentials;
  readonly readAgainMs: number;
  readonly expiresMs: number;
}

/**
 * Rejects with `server.misconfigured`, unless those it has are still good: the file may be half written just now. Requests
 * that ask while the file is read share one reading.
 */
export function credentialsFromFile(file: string, clock: Clock): () => Promise<S3Credentials> {
  let kept: Kept | undefined;
  let reading: Promise<Kept> | undefined;
  return async () => {
    if (kept === undefined || clock.monotonicMs() >= kept.readAgainMs) {
      const old = kept;
      reading ??= readCredentials(file, clock)
        .catch((error: unknown) => {
          if (old === undefined || clock.monotonicMs() >= old.expiresMs) throw error;
          return { ...old, readAgainMs: clock.monotonicMs() + CREDENTIALS_RETRY_MS };
        })
        .finally(() => (reading = undefined));
      kept = await reading;
    }
    return kept.credentials;
  };
}

async function readCredentials(file: string, clock: Clock): Promise<Kept> {
  const value = parse(await readText(file), file);
  const accessKeyId = text(value, "aws_access_key_id");
  const secretAccessKey = text(value, "aws_secret_access_key");
  if (accessKeyId === undefined || secretAccessKey === undefined) throw unusable(file, "it lacks aws_access_key_id or aws_secret_access_key");
  const leftMs = expiryMs(value["expiry"]) - Number(clock.nowNs() / 1_000_000n);
  const waitMs = Number.isNaN(leftMs) ? CREDENTIALS_MS_MAX : Math.min(Math.max(leftMs - CREDENTIALS_MARGIN_MS, 0), CREDENTIALS_MS_MAX);
  const nowMs = clock.monotonicMs();
  const expiresMs = Number.isNaN(leftMs) ? Number.POSITIVE_INFINITY : nowMs + leftMs;
  return { credentials: { accessKeyId, secretAccessKey, sessionToken: text(value, "aws_session_token") }, readAgainMs: nowMs + waitMs, expiresMs };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    throw unusable(file, code);
  }
}

function parse(content: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // A parser's message quotes the content.
  }
  throw unusable(file, "it is not a JSON object");
}

function text(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const member = value[name];
  return typeof member === "string" && member !== "" ? member : undefined;
}

/** A date, or seconds since 1970; NaN for anything else. */
function expiryMs(expiry: unknown): number {
  return typeof expiry === "number" ? expiry * 1_000 : typeof expiry === "string" ? Date.parse(expiry) : Number.NaN;
}

function unusable(file: string, why: string): DatabaseError {
  return new DatabaseError("server.misconfigured", {
    message: `Cannot parse object store config: the credentials file '${file}' cannot be used: ${why}`,
    hint: 'write it as {"aws_access_key_id": "…", "aws_secret_access_key": "…"}',
  });
}
