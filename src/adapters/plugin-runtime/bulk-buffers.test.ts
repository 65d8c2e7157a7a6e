import { expect, it } from "vitest";
import { BulkBuffers } from "./bulk-buffers.ts";
import { packEvent, openEvent } from "./invocation-message.ts";
import { SLICE_BYTES_MAX } from "../../engine/feed/limits.ts";
import { BULK_REUSED_BYTES_MIN, BULK_ROUNDING_BYTES, BULK_SPARE_BYTES_MAX } from "./limits.ts";

it("hands a buffer to one run at a time", () => {
  const buffers = new BulkBuffers();
  const first = buffers.take(BULK_ROUNDING_BYTES + 1);
  expect(first.byteLength).toBe(2 * BULK_ROUNDING_BYTES);
  buffers.giveBack(first);
  expect(buffers.take(2 * BULK_ROUNDING_BYTES)).toBe(first);
  expect(buffers.take(2 * BULK_ROUNDING_BYTES)).not.toBe(first);
});

it("keeps as many as fit its bound, hands out the smallest that is large enough, and keeps none that is too large", () => {
  const buffers = new BulkBuffers();
  const [small, large] = [buffers.take(BULK_REUSED_BYTES_MIN), buffers.take(2 * BULK_ROUNDING_BYTES)];
  expect(small.byteLength).toBe(BULK_ROUNDING_BYTES);
  buffers.giveBack(large);
  buffers.giveBack(small);
  buffers.giveBack(new SharedArrayBuffer(BULK_SPARE_BYTES_MAX + 1));
  expect(buffers.take(3 * BULK_ROUNDING_BYTES).byteLength).toBe(3 * BULK_ROUNDING_BYTES);
  expect(buffers.take(1).byteLength).toBe(1);
  expect([buffers.take(BULK_REUSED_BYTES_MIN) === small, buffers.take(BULK_REUSED_BYTES_MIN) === large]).toEqual([true, true]);
});

it("lets the smallest go when they are too much together", () => {
  const buffers = new BulkBuffers();
  const [small, half, other] = [buffers.take(BULK_ROUNDING_BYTES), buffers.take(BULK_SPARE_BYTES_MAX / 2), buffers.take(BULK_SPARE_BYTES_MAX / 2)];
  for (const buffer of [half, small, other]) buffers.giveBack(buffer);
  expect([half, other]).toContain(buffers.take(1 + BULK_ROUNDING_BYTES));
  expect([half, other]).toContain(buffers.take(BULK_ROUNDING_BYTES));
  expect(buffers.take(BULK_ROUNDING_BYTES)).not.toBe(small);
});

it("keeps what a trigger takes at a time", () => {
  const buffers = new BulkBuffers();
  // A slice ends with the record that passes its size: here 10,000 lines of TSBS.
  const bulk = buffers.take(SLICE_BYTES_MAX + 1_300_000);
  buffers.giveBack(bulk);
  expect(buffers.take(SLICE_BYTES_MAX)).toBe(bulk);
});

it("shows a run its own bytes only, whatever was in the buffer", () => {
  const buffers = new BulkBuffers();
  const event = (bytes: number, value: number) => ({ kind: "request" as const, query: [], headers: [], body: new Uint8Array(bytes).fill(value) });
  const invocation = (bytes: number, value: number) => ({ code: { fileName: "p.py", source: "", module: "p", files: new Map(), revision: 1n }, arguments: undefined, sparseRows: false, event: event(bytes, value) });
  const before = packEvent(invocation(2 * BULK_ROUNDING_BYTES, 7), buffers);
  if (before.kind === "request") buffers.giveBack(before.bulk);
  const opened = openEvent(packEvent(invocation(BULK_ROUNDING_BYTES, 9), buffers));
  expect(opened.kind === "request" ? opened.request.body : undefined).toEqual(new Uint8Array(BULK_ROUNDING_BYTES).fill(9));
});
