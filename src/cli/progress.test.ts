import { expect, it } from "vitest";
import { bytesProgress, waitingProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

function fake(stderrIsTerminal: boolean): { terminal: Terminal; said: string[]; pass(ms: number): void } {
  const said: string[] = [];
  let nowMs = 0;
  let due: (() => void) | undefined;
  const terminal: Partial<Terminal> = { stderrIsTerminal, stderr: (text) => void said.push(text), nowMs: () => nowMs, after: (_delayMs, action) => void (due = action) };
  return { terminal: terminal as Terminal, said, pass: (ms) => ((nowMs += ms), due?.()) };
}

it("draws a bar at most ten times a second, and the end of it always", () => {
  const { terminal, said, pass } = fake(true);
  const progress = bytesProgress(terminal, 2_097_152);
  progress.show(0);
  progress.show(1);
  pass(100);
  progress.show(1_048_576);
  progress.show(2_097_152);
  progress.end();
  expect(said).toEqual([
    "\r\u001b[K[                        ] 0% of 2.0 MB",
    "\r\u001b[K[############            ] 50% of 2.0 MB",
    "\r\u001b[K[########################] 100% of 2.0 MB",
    "\r\u001b[K",
  ]);
});

it("counts seconds for work whose length nobody knows, and is silent when it is quick", () => {
  const slow = fake(true);
  const waiting = waitingProgress(slow.terminal, "Running");
  slow.pass(1_000);
  slow.pass(1_000);
  waiting.end();
  slow.pass(1_000);
  expect(slow.said).toEqual(["\r\u001b[KRunning 1 s", "\r\u001b[KRunning 2 s", "\r\u001b[K"]);
  const quick = fake(true);
  waitingProgress(quick.terminal, "Running").end();
  quick.pass(5_000);
  expect(quick.said).toEqual([]);
});

it("says nothing where no person looks", () => {
  const { terminal, said, pass } = fake(false);
  bytesProgress(terminal, 1).show(1);
  const waiting = waitingProgress(terminal, "Running");
  pass(5_000);
  waiting.end();
  expect(said).toEqual([]);
});
