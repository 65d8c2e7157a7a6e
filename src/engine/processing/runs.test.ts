// Goal: a call that a plugin makes to its own server is refused exactly when it could never be answered.
import { describe, expect, it } from "vitest";
import { Runs } from "./runs.ts";

function open(): Runs {
  let ids = 0;
  return new Runs(() => String((ids += 1)));
}

describe("wouldWaitForItself()", () => {
  it("sees the run itself and every one that led to it", () => {
    const runs = open();
    const first = runs.begin("x");
    const second = runs.begin("y", first);
    expect(runs.wouldWaitForItself(second, "x")).toBe(true);
    expect(runs.wouldWaitForItself(second, "y")).toBe(true);
    expect(runs.wouldWaitForItself(second, "z")).toBe(false);
    runs.end(second);
    expect(runs.wouldWaitForItself(first, "y")).toBe(false);
  });

  it("sees two runs that wait for each other's triggers", () => {
    const runs = open();
    const [left, right] = [runs.begin("x"), runs.begin("y")];
    expect(runs.wouldWaitForItself(left, "y")).toBe(false);
    left.waits.add("y");
    expect(runs.wouldWaitForItself(right, "x")).toBe(true);
  });

  it("waits where another instance of the trigger will be free", () => {
    const runs = open();
    const caller = runs.begin("x");
    const stranger = runs.begin("x");
    expect(runs.wouldWaitForItself(caller, "x")).toBe(false);
    runs.end(stranger);
    const child = runs.begin("x", caller);
    expect(runs.wouldWaitForItself(child, "x")).toBe(true);
  });

  it("counts how deep a chain is", () => {
    const runs = open();
    let run = runs.begin("x");
    for (let depth = 1; depth < 5; depth += 1) run = runs.begin("x", run);
    expect(runs.depth(run)).toBe(5);
  });
});
