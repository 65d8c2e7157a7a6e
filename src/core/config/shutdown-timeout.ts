/** `--shutdown-timeout` (spec: cli §3.2). */
import { DatabaseError } from "../errors/database-error.ts";
import { parseDuration } from "./humantime.ts";

/** What running requests get to end in when the server stops; with the rest of a stop it stays below 2 s. */
export const SHUTDOWN_TIMEOUT_MS = 1_500;
const TIMEOUT_NS_MAX = 3_600_000_000_000n;

/** 0: nobody is waited for. Throws `server.misconfigured`. */
export function parseShutdownTimeout(text: string | undefined): number {
  if (text === undefined) return SHUTDOWN_TIMEOUT_MS;
  const ns = parseDuration(text);
  if (ns !== undefined && ns <= TIMEOUT_NS_MAX) return Number(ns / 1_000_000n);
  throw new DatabaseError("server.misconfigured", {
    message: `"${text}" is not a duration of at most 1h for --shutdown-timeout`,
    hint: "write it as in --shutdown-timeout 30s",
  });
}
