import { describe, expect, it } from "vitest";
import { BodyBufferPool } from "./body-buffers.ts";
import { BODY_BUFFER_GROWTH, BODY_BUFFER_INITIAL_SIZE, BODY_BUFFERS_KEPT_BYTES } from "./limits.ts";

const chunk = (size: number, value = 1): Uint8Array => new Uint8Array(size).fill(value);

describe("BodyBufferPool", () => {
  it("keeps the bytes in order while it grows", () => {
    const buffer = new BodyBufferPool().take(0);
    for (let value = 1; value <= 40; value++) buffer.append(chunk(10_000, value));
    expect(buffer.size).toBe(400_000);
    expect([...new Set(buffer.view())]).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it("takes no memory for a declared length before its bytes come", () => {
    const buffer = new BodyBufferPool().take(10_000_000);
    expect(buffer.capacity).toBe(0);
    buffer.append(chunk(100));
    expect(buffer.capacity).toBe(BODY_BUFFER_INITIAL_SIZE);
    buffer.append(chunk(BODY_BUFFER_INITIAL_SIZE));
    expect(buffer.capacity).toBe((100 + BODY_BUFFER_INITIAL_SIZE) * BODY_BUFFER_GROWTH);
    for (let index = 0; index < 100; index++) buffer.append(chunk(BODY_BUFFER_INITIAL_SIZE));
    expect(buffer.capacity).toBe(10_000_000);
  });

  it("uses a buffer for five megabytes again, empty", () => {
    const pool = new BodyBufferPool();
    const first = pool.take(5_000_000);
    for (let index = 0; index < 50; index++) first.append(chunk(100_000));
    expect(first.capacity).toBe(5_000_000);
    pool.giveBack(first);
    const small = pool.take(10);
    expect(small).toBe(first);
    expect(small.size).toBe(0);
    pool.giveBack(small);
    expect(pool.take(4_900_000)).toBe(first);
  });

  it("keeps a bounded number of bytes, the large buffers first", () => {
    const pool = new BodyBufferPool();
    const sizes = [1_000_000, 20_000_000, 10_000_000, 5_000_000];
    const buffers = sizes.map((size) => {
      const buffer = pool.take(size);
      for (let sent = 0; sent < size; sent += 1_000_000) buffer.append(chunk(1_000_000));
      return buffer;
    });
    for (const buffer of buffers) pool.giveBack(buffer);
    const kept = sizes.map((size) => pool.take(size).capacity);
    expect(kept.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(BODY_BUFFERS_KEPT_BYTES);
    expect(kept).toContain(20_000_000);
  });
});
