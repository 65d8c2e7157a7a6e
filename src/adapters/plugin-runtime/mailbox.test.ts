// Both ends in one thread: the guest's blocking wait is answered from its doorbell, so it never has to block.
import { describe, expect, test } from "vitest";
import { REPLY, STOP, createControlBlock, openControlBlock } from "./control-block.ts";
import { INLINE_REPLY_BYTES_MAX } from "./limits.ts";
import { GuestMailbox, HardStop, HostMailbox, type Request } from "./mailbox.ts";

function pair(answer: (host: HostMailbox, request: Request) => void): { guest: GuestMailbox; host: HostMailbox } {
  const block = createControlBlock();
  const host = new HostMailbox(block);
  const ring = (): void => {
    const request = host.take();
    if (request !== undefined) answer(host, request);
  };
  return { guest: new GuestMailbox(openControlBlock(block.buffer), ring), host };
}

describe("mailbox", () => {
  test("carries slots and payload there, kind and payload back", () => {
    const seen: Request[] = [];
    const { guest } = pair((host, request) => {
      seen.push(request);
      host.reply(REPLY.bytes, Uint8Array.of(9, 8));
    });
    const reply = guest.call(7, [1, 4_294_967_295, 0.5], Uint8Array.of(1, 2, 3));
    expect(seen.map(({ operation, slots, payload }) => [operation, slots.slice(0, 3), [...payload]])).toEqual([[7, [1, 4_294_967_295, 0.5], [1, 2, 3]]]);
    expect([reply, [...guest.payload(reply.byteLength)]]).toEqual([{ kind: REPLY.bytes, byteLength: 2 }, [9, 8]]);
  });

  test("keeps what does not fit for the one who fills it in", () => {
    const large = new Uint8Array(INLINE_REPLY_BYTES_MAX + 1).fill(5);
    const { guest, host } = pair((end) => end.reply(REPLY.bytes, large));
    expect(guest.call(0, [])).toEqual({ kind: REPLY.bytes, byteLength: large.length });
    expect(host.takeBulk()).toBe(large);
    expect(host.takeBulk()).toHaveLength(0);
  });

  test("a bell that rings twice gives one request; an answer without a request is a fault of ours", () => {
    const { guest, host } = pair((end) => {
      expect(end.take()).toBeUndefined();
      end.reply(REPLY.none);
      expect(end.take()).toBeUndefined();
    });
    guest.call(0, []);
    expect(() => host.reply(REPLY.none)).toThrow(expect.objectContaining({ code: "internal.invariant" }));
  });

  test("poll answers the level of the stop: go on, interrupt, leave", () => {
    const { guest, host } = pair(() => undefined);
    expect([guest.poll(), guest.stopSeen]).toEqual([false, false]);
    host.setStop(STOP.soft);
    expect([guest.poll(), guest.stopSeen]).toEqual([true, true]);
    host.setStop(STOP.hard);
    expect(() => guest.poll()).toThrow(HardStop);
    expect(() => guest.checkHardStop()).toThrow(HardStop);
  });

  test("what was printed goes out before any other request", () => {
    const operations: number[] = [];
    const { guest } = pair((host, { operation }) => {
      operations.push(operation);
      host.reply(REPLY.none);
    });
    guest.beforeRequest = () => void guest.callNow(64, []);
    guest.call(1, []);
    expect(operations).toEqual([64, 1]);
  });
});
