import { expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { ReleasedMemory } from "./collector.ts";

const MIB = 1024 * 1024;

it("collects once for much that is released together, and at most once a minute", async () => {
  const clock = new VirtualClock();
  let collections = 0;
  const released = new ReleasedMemory(clock, () => collections++);
  for (let count = 0; count < 100; count++) released.note(9 * MIB);
  await clock.advance(1_000);
  expect([collections, clock.timerCount]).toEqual([1, 0]);
  released.note(100 * MIB);
  await clock.advance(59_000);
  expect(collections).toBe(1);
  await clock.advance(1_000);
  expect(collections).toBe(2);
});

it("leaves little to the collector's own time", async () => {
  const clock = new VirtualClock();
  const released = new ReleasedMemory(clock, () => expect.unreachable());
  released.note(63 * MIB);
  await clock.advance(600_000);
  expect(clock.timerCount).toBe(0);
});

it("leaves no timer behind", () => {
  const clock = new VirtualClock();
  const released = new ReleasedMemory(clock, () => expect.unreachable());
  released.note(64 * MIB);
  expect(clock.timerCount).toBe(1);
  released.close();
  expect(clock.timerCount).toBe(0);
});
