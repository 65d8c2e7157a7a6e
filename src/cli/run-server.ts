/** From listening to the end: the first stop signal closes cleanly, within 2 s by default, the second one ends at once. */
import { SHUTDOWN_TIMEOUT_MS } from "../core/config/shutdown-timeout.ts";
import type { Terminal } from "./terminal.ts";

/** What a clean stop takes beyond the time for running requests, at most. */
const CLOSE_REST_MS_MAX = 400;
const STATUS_INTERRUPTED = 130;

/** Resolves once the server closed, or once the time for it is over: what was acknowledged is on disk either way. */
export async function runUntilStopped(server: { close(): Promise<void> }, terminal: Terminal, graceMs: number = SHUTDOWN_TIMEOUT_MS): Promise<void> {
  await firstSignal(terminal);
  terminal.stderr("Stopping (once more to stop at once)\n");
  const isClosed = await Promise.race([
    server.close().then(() => true),
    new Promise<boolean>((resolve) => terminal.after(graceMs + CLOSE_REST_MS_MAX, () => resolve(false))),
  ]);
  terminal.stderr(isClosed ? "Stopped\n" : "Stopped; some requests or plugins were cut off\n");
}

function firstSignal(terminal: Terminal): Promise<void> {
  let signals = 0;
  return new Promise((resolve) => {
    terminal.onStopSignal(() => {
      signals++;
      if (signals === 1) resolve();
      else terminal.exit(STATUS_INTERRUPTED);
    });
  });
}
