// Goal: when schedules fire and how requests are served. Method: as in triggers.test.ts; expectations from spec processing-engine §7 and §10.
import { beforeEach, describe, expect, it } from "vitest";
import { flushPromises } from "../../testing/virtual-clock.ts";
import { done, raised, TriggerWorld } from "../../../test/support/trigger-world.ts";

let world: TriggerWorld;
beforeEach(() => {
  world = new TriggerWorld();
});

describe("schedules", () => {
  it("fire at epoch-aligned multiples with whole-second nominal times (§7)", async () => {
    const seen: bigint[] = [];
    world.script = async (invocation) => {
      if (invocation.event.kind === "schedule") seen.push(invocation.event.callTimeSeconds);
      return done;
    };
    await world.clock.advance(1500);
    await world.create("every:10s");
    await world.clock.advance(20_000);
    expect(seen).toEqual([1_767_225_610n, 1_767_225_620n]);
    expect(world.texts("INFO")[0]).toBe("starting execution with scheduled time 2026-01-01 00:00:10 UTC");
  });

  it("stop when the trigger is disabled and start again when it is enabled", async () => {
    await world.create("cron:*/5 * * * * *");
    await world.clock.advance(5000);
    await world.engine.setTriggerEnabled("db", "trigger", false);
    await world.clock.advance(20_000);
    expect(world.calls.length).toBe(1);
    await world.engine.setTriggerEnabled("db", "trigger", true);
    await world.clock.advance(5000);
    expect(world.calls.length).toBe(2);
    expect(world.clock.timerCount).toBe(1);
  });
});

describe("late schedules", () => {
  it("make up sixty ticks, of every kind, and count the others as skipped", async () => {
    for (const specification of ["every:1s", "cron:* * * * * *"]) {
      world = new TriggerWorld();
      const seen: number[] = [];
      let slow = true;
      world.script = async (invocation) => {
        if (invocation.event.kind === "schedule") seen.push(Number(invocation.event.callTimeSeconds) - 1_767_225_600);
        if (slow) await new Promise<void>((resolve) => world.clock.after(200_500, resolve));
        slow = false;
        return done;
      };
      await world.create(specification);
      await world.clock.advance(202_000);
      // It began at second 1 and ended at 201.5: of the ticks 2 to 201 the last 60 or so are made up.
      expect(seen[0]).toBe(1);
      expect(seen[1]).toBeGreaterThanOrEqual(141);
      expect(seen[1]).toBeLessThanOrEqual(142);
      expect(seen.slice(1)).toEqual(Array.from({ length: 202 - (seen[1] ?? 0) + 1 }, (_, index) => (seen[1] ?? 0) + index));
      expect(world.engine.statistics()[0]?.counters.ticksSkipped).toBe((seen[1] ?? 0) - 2);
    }
  });

  it("run beside each other when they are asynchronous, as far as there are instances", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve(done)));
    await world.create("every:1s", "log", { runAsync: true });
    await world.clock.advance(20_000);
    expect(world.calls.map((call) => call.atMs)).toEqual([1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]);
    releases[0]?.();
    await flushPromises();
    await world.clock.advance(0);
    expect(world.calls.length).toBe(9);
  });

  it("a cron expression that a clock jump passed ten thousand times is not counted for ever", async () => {
    await world.create("cron:* * * * * *");
    world.script = async () => {
      if (world.calls.length === 1) await new Promise<void>((resolve) => world.clock.after(30 * 86_400_000, resolve));
      return done;
    };
    await world.clock.advance(30 * 86_400_000 + 5_000);
    expect(world.calls.length).toBeLessThan(20);
    expect(world.engine.statistics()[0]?.counters.ticksSkipped).toBe(10_000);
  });
});

describe("request triggers", () => {
  const request = { path: "hello", query: [], headers: [], body: new Uint8Array() };

  it("serve one request after another and bound the queue", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve({ kind: "done", writes: [], response: { status: 201, headers: [], body: new Uint8Array([1]) } })));
    await world.create("request:hello");
    const answers = Array.from({ length: 60 }, () => world.engine.request(request));
    await flushPromises();
    expect(world.calls.length).toBe(1);
    await expect(world.engine.request(request)).rejects.toThrow("60 requests wait");
    while (releases.length > 0) {
      releases.shift()?.();
      await flushPromises();
    }
    expect((await Promise.all(answers)).map((answer) => answer?.status)).toEqual(Array.from({ length: 60 }, () => 201));
    expect(await world.engine.request({ ...request, path: "none" })).toBeUndefined();
  });

  it("asynchronous ones serve several at once", async () => {
    const releases: (() => void)[] = [];
    world.script = () => new Promise((resolve) => releases.push(() => resolve({ kind: "done", writes: [], response: { status: 200, headers: [], body: new Uint8Array() } })));
    await world.create("request:hello", "log", { runAsync: true });
    const answers = Array.from({ length: 20 }, () => world.engine.request(request));
    await flushPromises();
    expect(world.calls.length).toBe(8);
    expect(world.engine.statistics()[0]).toMatchObject({ queueDepth: 12, instances: 8 });
    while (releases.length > 0) {
      releases.shift()?.();
      await flushPromises();
    }
    expect((await Promise.all(answers)).length).toBe(20);
  });

  it("answer a plugin's exception in the reference's words (§10.4)", async () => {
    world.script = async () => raised;
    await world.create("request:hello");
    await expect(world.engine.request(request)).rejects.toThrow("Python function call failed: ValueError: no");
    expect(world.texts("ERROR")[0]).toContain("error running request plugin: Python function call failed: ValueError: no");
  });
});
