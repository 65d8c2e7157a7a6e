// Goal: whatever the order of events, a successor's guest is taken or forgotten, and its executor is given back once.
import { expect, test } from "vitest";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { STOP } from "./control-block.ts";
import type { Executor } from "./executor.ts";
import type { GuestLife } from "./guest-life.ts";
import { PREPARE_MS_MAX } from "./limits.ts";
import { Successor } from "./successor.ts";

const settings = { environment: [], writeBytes: 1, responseBytes: 1, cacheBytes: 1 };

function world(): { successor: Successor; life: GuestLife; executor: Executor; clock: VirtualClock; steps: string[] } {
  const clock = new VirtualClock();
  const steps: string[] = [];
  const note = (step: string): void => void steps.push(step);
  const life: GuestLife = { key: 7, memoryBytesMax: 1, memory: undefined, image: { id: 0, memoryBytes: 0, runs: new Uint32Array(0), data: new SharedArrayBuffer(0) }, parked: undefined, holder: undefined, reset: "fresh", lost: false };
  const pool = { release: () => note("release"), withdraw: () => (note("withdraw"), true), forget: (key: number) => note(`forget ${key}`), discard: () => (note("discard"), Promise.resolve()) };
  const mailbox = { setStop: (level: number) => note(`stop ${level}`), take: () => undefined, reply: () => note("reply"), takeBulk: () => new Uint8Array() };
  const nothing = (): void => undefined;
  const executor: Executor = {
    mailbox, serve: () => note("serve"), prepare: (_settings, { key }) => note(`prepare ${key}`), run: nothing, makeImage: nothing, forget: nothing, disown: nothing, holds: () => false, hold: nothing,
    retire: () => Promise.resolve(), terminate: () => Promise.resolve(),
  };
  return { successor: new Successor({ pool, clock, life, settings, owner: "t" }), life, executor, clock, steps };
}

test("one that is ready is taken, and needs no reset", () => {
  const { successor, life, executor, steps } = world();
  expect(successor.isComing).toBe(false);
  successor.begin(executor);
  expect(successor.isComing).toBe(true);
  successor.onPrepared(true);
  expect(successor.isComing).toBe(true);
  expect(steps).toEqual([`stop ${STOP.none}`, "serve", "prepare 7", "release"]);
  expect(successor.take()).toBe(life);
  expect(life.reset).toBe("none");
  successor.drop();
  expect(successor.take()).toBeUndefined();
  expect(steps).toHaveLength(4);
});

test("whoever waits for it hears of every end", async () => {
  const ends: ((of: ReturnType<typeof world>) => unknown)[] = [
    ({ successor }) => successor.refuse(), ({ successor }) => successor.drop(), ({ successor }) => successor.onLost(), ({ successor, executor }) => (successor.begin(executor), successor.onPrepared(true)),
    ({ successor, executor }) => (successor.begin(executor), successor.onPrepared(false)), ({ successor, executor, clock }) => (successor.begin(executor), clock.advance(PREPARE_MS_MAX)),
  ];
  for (const end of ends) {
    const of = world();
    await end(of);
    await of.successor.settled;
  }
});

test("one that nobody needs is forgotten", () => {
  const { successor, executor, steps } = world();
  successor.begin(executor);
  successor.onPrepared(true);
  successor.drop();
  expect(successor.take()).toBeUndefined();
  expect(steps.slice(3)).toEqual(["release", "forget 7"]);
});

test("one that is asked for too early is given up, and its executor comes back when it is done", () => {
  const { successor, life, executor, steps } = world();
  successor.begin(executor);
  expect(successor.take()).toBeUndefined();
  successor.onPrepared(true);
  expect(successor.take()).toBeUndefined();
  expect(life.reset).toBe("fresh");
  expect(successor.isComing).toBe(false);
  expect(steps.slice(3)).toEqual(["forget 7", "release"]);
});

test("one that has not begun is withdrawn; one that failed, was refused or lost its executor is none", () => {
  const waiting = world();
  waiting.successor.drop();
  expect(waiting.steps).toEqual(["withdraw"]);
  const failed = world();
  failed.successor.begin(failed.executor);
  failed.successor.onPrepared(false);
  expect(failed.successor.take()).toBeUndefined();
  expect(failed.steps.slice(3)).toEqual(["forget 7", "release"]);
  for (const end of ["refuse", "onLost"] as const) {
    const { successor } = world();
    successor[end]();
    expect(successor.take()).toBeUndefined();
  }
});

test("an executor that does not get it ready, or answers what was not asked, is not waited for", async () => {
  const slow = world();
  slow.successor.begin(slow.executor);
  await slow.clock.advance(PREPARE_MS_MAX);
  expect(slow.steps.slice(3)).toEqual(["discard"]);
  expect(slow.successor.take()).toBeUndefined();
  const odd = world();
  odd.successor.begin(odd.executor);
  odd.successor.onDone();
  expect(odd.steps.slice(3)).toEqual(["forget 7", "release"]);
});
