// Goal: a full buffer holds writers back until a snapshot frees room, never longer than the bound, and not where none comes.
import { describe, expect, it } from "vitest";
import { QueryableBuffer } from "../core/buffer/queryable-buffer.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { BufferRoom } from "./buffer-room.ts";
import { closedError } from "./group-commit.ts";
import { DEFAULT_STORAGE_LIMITS } from "./storage-limits.ts";

function open(isPersisted = true): { buffer: QueryableBuffer; room: BufferRoom; clock: VirtualClock } {
  const buffer = new QueryableBuffer(1000);
  const clock = new VirtualClock();
  return { buffer, clock, room: new BufferRoom({ buffer, clock, limits: { ...DEFAULT_STORAGE_LIMITS, writersWaitingMax: 2, writerWaitMs: 100 }, isPersisted }) };
}

const full = { code: "buffer.full" };

describe("BufferRoom", () => {
  it("lets writers in as room comes free, in their order", async () => {
    const { buffer, room } = open();
    await room.reserve(900);
    const entered: string[] = [];
    const large = room.reserve(600).then(() => entered.push("large"));
    const small = room.reserve(100).then(() => entered.push("small"));
    await expect(room.reserve(1)).rejects.toMatchObject(full);
    expect(room.waitingCount).toBe(2);
    buffer.release(300);
    await Promise.resolve();
    expect(entered).toEqual([]);
    buffer.release(300);
    await Promise.all([large, small]);
    expect([entered, buffer.bytes]).toEqual([["large", "small"], 1000]);
  });

  it("sends them away after the bound", async () => {
    const { room, clock } = open();
    await room.reserve(1000);
    const refused = expect(room.reserve(1)).rejects.toMatchObject(full);
    await clock.advance(100);
    await refused;
  });

  it("refuses at once what never fits, and where rows never leave", async () => {
    await expect(open().room.reserve(1001)).rejects.toMatchObject(full);
    const { room } = open(false);
    await room.reserve(1000);
    await expect(room.reserve(1)).rejects.toMatchObject(full);
  });

  it("sends all away when it closes", async () => {
    const { room } = open();
    await room.reserve(1000);
    const refused = expect(room.reserve(1)).rejects.toMatchObject({ code: "wal.closed" });
    room.close(closedError());
    await refused;
    await expect(room.reserve(1)).rejects.toMatchObject({ code: "wal.closed" });
  });
});
