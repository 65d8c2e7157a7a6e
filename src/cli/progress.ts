/** Progress on stderr, one line that changes: on a terminal only, and gone when the work is done. */
import type { Terminal } from "./terminal.ts";

const CLEAR = "\r\u001b[K";
const BAR_WIDTH = 24;
const REDRAW_MS = 100;
/** Shorter waits need no word. */
const WAIT_MS = 1_000;

export interface Progress {
  /** `done` of the total. */
  show(done: number): void;
  /** Takes the line away. */
  end(): void;
}

const NONE: Progress = { show: () => undefined, end: () => undefined };

/** A bar over a known number of bytes. */
export function bytesProgress(terminal: Terminal, total: number): Progress {
  if (!terminal.stderrIsTerminal) return NONE;
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    show(done) {
      const nowMs = terminal.nowMs();
      if (nowMs - drawnMs < REDRAW_MS && done < total) return;
      drawnMs = nowMs;
      const filled = Math.round((BAR_WIDTH * done) / Math.max(1, total));
      terminal.stderr(`${CLEAR}[${"#".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}] ${Math.floor((100 * done) / Math.max(1, total))}% of ${megabytes(total)}`);
    },
    end: () => terminal.stderr(CLEAR),
  };
}

/** Seconds that go by until `end()`, for work whose length nobody knows. */
export function waitingProgress(terminal: Terminal, what: string): Pick<Progress, "end"> {
  if (!terminal.stderrIsTerminal) return NONE;
  const startedMs = terminal.nowMs();
  let isShown = false;
  let isOver = false;
  const tick = (): void => {
    if (isOver) return;
    isShown = true;
    terminal.stderr(`${CLEAR}${what} ${Math.floor((terminal.nowMs() - startedMs) / 1_000)} s`);
    terminal.after(WAIT_MS, tick);
  };
  terminal.after(WAIT_MS, tick);
  return {
    end() {
      isOver = true;
      if (isShown) terminal.stderr(CLEAR);
    },
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;
