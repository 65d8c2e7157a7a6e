// Goal: live slots never overlap, nothing passes the capacity, and what is counted is what is held. Method: random
// allocations and releases in any order against a list of live byte ranges.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WalRing, type RingSlot } from "./ring.ts";

const range = (slot: RingSlot): [number, number] => [slot.bytes.byteOffset, slot.bytes.byteOffset + slot.bytes.length];

describe("WalRing", () => {
  it("never gives out bytes twice and comes back empty", () => {
    const step = fc.oneof(fc.record({ size: fc.integer({ min: 1, max: 40 }).map((words) => words * 8) }), fc.record({ release: fc.nat() }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = new WalRing(512);
        const live: RingSlot[] = [];
        for (const action of steps) {
          if ("size" in action) {
            const slot = ring.allocate(action.size);
            if (slot === undefined) continue;
            const [from, to] = range(slot);
            expect(live.map(range).some(([start, end]) => from < end && start < to)).toBe(false);
            live.push(slot);
          } else if (live.length > 0) {
            ring.release(live.splice(action.release % live.length, 1)[0] as RingSlot);
          }
          const held = live.reduce((sum, slot) => sum + slot.bytes.length, 0);
          expect(ring.usedBytes).toBeGreaterThanOrEqual(held);
          expect(ring.usedBytes).toBeLessThanOrEqual(ring.capacityBytes);
        }
        for (const slot of live) ring.release(slot);
        expect(ring.usedBytes).toBe(0);
        expect(ring.allocate(512)?.bytes.length).toBe(512);
      }),
    );
  });

  it("refuses what does not fit, and takes it once room came back in order", () => {
    const ring = new WalRing(64);
    const [first, second] = [ring.allocate(24) as RingSlot, ring.allocate(24) as RingSlot];
    expect(ring.allocate(24)).toBeUndefined();
    ring.release(second);
    expect(ring.allocate(24)).toBeUndefined();
    ring.release(first);
    expect(ring.allocate(64)).toBeDefined();
  });
});
