import { describe, expect, it } from "vitest";
import { createTurns } from "./turns.ts";

describe("createTurns()", () => {
  it("lets one caller go on per turn of the event loop, in order", async () => {
    const turn = createTurns();
    const seen: string[] = [];
    let loops = 0;
    let running = true;
    const count = (): void => {
      loops++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const worker = async (name: string): Promise<void> => {
      for (let slice = 0; slice < 3; slice++) {
        await turn();
        seen.push(`${name}${slice}@${loops}`);
      }
    };
    await Promise.all(["a", "b", "c"].map(worker));
    running = false;
    expect(seen.map((entry) => entry.split("@")[0])).toEqual(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]);
    expect(new Set(seen.map((entry) => entry.split("@")[1])).size).toBe(seen.length);
  });
});
