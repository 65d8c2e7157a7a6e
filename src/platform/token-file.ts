/** Reads what `create token --admin --offline` wrote (spec: http-api §3.3). */
import { readFile, stat } from "node:fs/promises";
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { OfflineToken } from "../engine/token-service.ts";
import type { LogSink } from "../ports/log-sink.ts";

const FILE_BYTES_MAX = 65_536;
/** Bits of group and others. */
const SHARED_MODE = 0o077;

/** Throws `server.misconfigured`. */
export async function readTokenFile(path: string, log: LogSink): Promise<OfflineToken> {
  const text = await readSmall(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(path, "it is not JSON", error);
  }
  const { token, name, expiry_millis: expiry } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof token !== "string" || typeof name !== "string" || name === "") throw unusable(path, 'it lacks "token" or "name"');
  if (expiry !== undefined && expiry !== null && (typeof expiry !== "number" || !Number.isSafeInteger(expiry))) throw unusable(path, '"expiry_millis" is not a whole number');
  if (process.platform !== "win32" && ((await stat(path)).mode & SHARED_MODE) !== 0) {
    log.log("warn", `The token file "${path}" can be read by other users of this machine; run: chmod 600 ${path}`);
  }
  return { token, name, ...(typeof expiry === "number" ? { expiryMs: BigInt(expiry) } : {}) };
}

async function readSmall(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > FILE_BYTES_MAX) throw unusable(path, `it is larger than ${FILE_BYTES_MAX} bytes`);
    return bytes.toString("utf8");
  } catch (error) {
    throw error instanceof DatabaseError ? error : unusable(path, messageOf(error), error);
  }
}

function unusable(path: string, why: string, cause?: unknown): DatabaseError {
  return new DatabaseError("server.misconfigured", {
    message: `Token error: the admin token file "${path}" cannot be used: ${why}`,
    hint: "make one with 'influxdb3 create token --admin --offline --output-file FILE'",
    ...(cause === undefined ? {} : { cause }),
  });
}
