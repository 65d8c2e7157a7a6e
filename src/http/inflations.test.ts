// Goal: only so many inflated bodies are held at once, those that wait are let in as others end, and no longer than the bound.
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../core/errors/database-error.ts";
import { flushPromises, VirtualClock } from "../testing/virtual-clock.ts";
import { Inflations } from "./inflations.ts";
import { INFLATED_BODIES_MAX, INFLATION_WAIT_MS_MAX } from "./limits.ts";

interface Body {
  readonly done: Promise<unknown>;
  readonly end: (error?: Error) => void;
}

function open(): { clock: VirtualClock; begun: () => number; body: () => Body } {
  const clock = new VirtualClock();
  const inflations = new Inflations(clock, () => new DatabaseError("request.overloaded", { message: "busy" }));
  let begun = 0;
  const body = (): Body => {
    let end: Body["end"] = () => undefined;
    const ended = new Promise<void>((resolve, reject) => (end = (error) => (error === undefined ? resolve() : reject(error))));
    const done = inflations.run(() => {
      begun++;
      return ended;
    });
    return { done: done.then(() => "done", (error: Error) => error.message), end };
  };
  return { clock, begun: () => begun, body };
}

describe("Inflations", () => {
  it("hold back what is too much, also after one failed", async () => {
    const { begun, body } = open();
    const bodies = Array.from({ length: INFLATED_BODIES_MAX + 2 }, body);
    await flushPromises();
    expect(begun()).toBe(INFLATED_BODIES_MAX);
    bodies[0]?.end(new Error("corrupt"));
    expect(await bodies[0]?.done).toBe("corrupt");
    await flushPromises();
    expect(begun()).toBe(INFLATED_BODIES_MAX + 1);
    for (const { end } of bodies.slice(1)) end();
    expect(await Promise.all(bodies.slice(1).map(({ done }) => done))).toEqual(Array.from({ length: INFLATED_BODIES_MAX + 1 }, () => "done"));
  });

  it("send away who waited too long", async () => {
    const { clock, begun, body } = open();
    const bodies = Array.from({ length: INFLATED_BODIES_MAX + 1 }, body);
    await clock.advance(INFLATION_WAIT_MS_MAX);
    expect(await bodies.at(-1)?.done).toBe("busy");
    expect(begun()).toBe(INFLATED_BODIES_MAX);
  });
});
