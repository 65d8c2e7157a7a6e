import { describe, expect, it } from "vitest";
import { DatabaseError } from "../core/errors/database-error.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Gate } from "./gate.ts";

function gateOf(free: { count: number }, waitingMax = 3): { gate: Gate; clock: VirtualClock; take: () => true | undefined } {
  const clock = new VirtualClock();
  const gate = new Gate({ clock, waitingMax, waitMs: 100, refusal: () => new DatabaseError("wal_ring.full", { message: "full" }) });
  return { gate, clock, take: () => (free.count > 0 ? (free.count--, true) : undefined) };
}

describe("Gate", () => {
  it("lets in at once while there is room and nobody waits", async () => {
    const free = { count: 1 };
    const { gate, take } = gateOf(free);
    expect(gate.tryNow(take)).toBe(true);
    const waiting = gate.wait(take);
    free.count = 1;
    expect(gate.tryNow(take)).toBeUndefined();
    gate.wake();
    expect(await waiting).toBe(true);
  });

  it("keeps the order of the callers", async () => {
    const free = { count: 0 };
    const { gate, take } = gateOf(free);
    const order: number[] = [];
    const all = [1, 2, 3].map((number) => gate.wait(take).then(() => order.push(number)));
    for (let step = 0; step < 3; step++) {
      free.count = 1;
      gate.wake();
    }
    await Promise.all(all);
    expect(order).toEqual([1, 2, 3]);
  });

  it("sends away after the time, and at once when too many wait", async () => {
    const { gate, clock, take } = gateOf({ count: 0 }, 1);
    const first = gate.wait(take);
    const settled = first.catch((error: DatabaseError) => error.code);
    await expect(gate.wait(take)).rejects.toThrow("full");
    await clock.advance(101);
    expect(await settled).toBe("wal_ring.full");
    expect([gate.waitingCount, clock.timerCount]).toEqual([0, 0]);
  });

  it("sends everybody away when it closes", async () => {
    const { gate, clock, take } = gateOf({ count: 0 });
    const settled = gate.wait(take).catch((error: DatabaseError) => error.code);
    gate.close(new DatabaseError("wal.closed", { message: "closed" }));
    expect([await settled, clock.timerCount]).toEqual(["wal.closed", 0]);
  });
});
