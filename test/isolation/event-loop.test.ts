// Goal: whatever bodies come, no task holds the ingest thread for long (design §8.6: 10 ms; the bound here is wide, since
// tests share the machine). Method: four large bodies at once, good ones and such whose every line is refused, while the
// longest time between two turns of the event loop is taken.
import { describe, expect, it } from "vitest";
import { createTurns } from "../../src/adapters/system/turns.ts";
import { newDisk, openStorage, request, type Opened } from "../support/open-storage.ts";

const BODIES = 4;
const LINES = 60_000;
const GAP_MS_MAX = 60;

const lines = (make: (line: number) => string): string => Array.from({ length: LINES }, (_, line) => make(line)).join("\n");

const open = (): Promise<Opened> =>
  openStorage(newDisk(), { limits: { ringBytes: 67_108_864, bufferBytes: 268_435_456, writersWaitingMax: 64 }, yieldToEventLoop: createTurns() });

/** Longest time in ms between two turns while `work` runs. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  return longest;
}

describe("the event loop", () => {
  it.each([
    ["good lines", lines((line) => `m,host=h${line % 100},site=s${line % 7} a=${line}.5,b=${line}i,c=t ${1_700_000_000_000_000_000n + BigInt(line)}`), "stored"],
    ["lines of a wrong type", lines((line) => `typed,host=h${line % 100} f="text ${line}" ${line}`), "write.partial"],
    ["lines that are no line protocol", lines((line) => `bad line number ${line}`), "write.partial"],
  ])("is not held by %s", { timeout: 120_000, retry: 2 }, async (_name, body, outcome) => {
    const opened = await open();
    await opened.storage.write(request("typed f=1 1"));
    const whole = request(body);
    const outcomes: string[] = [];
    const send = async (): Promise<void> => void outcomes.push(await opened.storage.write(whole).then(() => "stored", (error: { code: string }) => error.code));
    await send();
    const gap = await longestGap(() => Promise.all(Array.from({ length: BODIES }, send)));
    expect(outcomes).toEqual(Array.from({ length: BODIES + 1 }, () => outcome));
    expect(gap).toBeLessThan(GAP_MS_MAX);
  });
});
