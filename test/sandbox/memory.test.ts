// What memory bombs leave behind: an instance whose memory grew is restored in place, so that bombs in a row cost the
// process one instance's limit and not one more at each garbage collection that has not come yet.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PluginRuntime } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, scheduled } from "./fixture.ts";

const LIMIT_BYTES = 128 * MEBIBYTE;
const BOMBS = 12;
const BOMB = 'held = []\nwhile True: held.append(b"x" * 1_000_000)';

let runtime: PluginRuntime;
beforeAll(async () => {
  runtime = createTestRuntime();
  await runtime.start();
});
afterAll(() => runtime.close());

test("memory bombs in a row keep the process within one instance's limit", async () => {
  const instance = runtime.createInstance("bomb", { memoryBytesMax: LIMIT_BYTES });
  const before = process.memoryUsage.rss();
  let highest = 0;
  for (let count = 0; count < BOMBS; count += 1) {
    const outcome = await instance.run(scheduled(BOMB), new RecordingHost(), { wallTimeMsMax: 20_000 });
    expect(outcome).toMatchObject({ kind: "raised", outOfMemory: true });
    highest = Math.max(highest, process.memoryUsage.rss());
  }
  // Twelve bombs kept side by side would be 1.5 GB.
  expect(highest - before).toBeLessThan(4 * LIMIT_BYTES);
  await instance.close();
});

test("memory that a bomb filled is zero for the next run, beyond the image too", async () => {
  const instance = runtime.createInstance("mark", { memoryBytesMax: LIMIT_BYTES });
  const mark = 'held = []\nwhile True: held.append(b"SECRET-MARK-0123" * 65_536)';
  await instance.run(scheduled(mark), new RecordingHost(), { wallTimeMsMax: 20_000 });
  const host = new RecordingHost();
  // Memory that comes from the allocator unwritten shows what was there before.
  const look = [
    "import array, io",
    "found = 0",
    "for size in (1_000_000, 4_000_000, 16_000_000, 32_000_000):",
    "    raw = io.BytesIO()",
    "    raw.seek(size)",
    "    raw.write(b'.')",
    "    found += b'SECRET-MARK' in raw.getvalue()",
    "    found += b'SECRET-MARK' in bytes(bytearray(size))",
    "influxdb3_local.info(found)",
  ].join("\n");
  await instance.run(scheduled(look), host, { wallTimeMsMax: 20_000 });
  expect(host.logged).toEqual(["info: 0"]);
  await instance.close();
});

test("an idle instance gives its memory back, and runs again; one with a cache keeps it", async () => {
  const instance = runtime.createInstance("idle", { memoryBytesMax: LIMIT_BYTES });
  const run = async (source: string): Promise<string[]> => {
    const host = new RecordingHost();
    expect(await instance.run(scheduled(source), host, { wallTimeMsMax: 20_000 })).toMatchObject({ kind: "done" });
    return host.logged;
  };
  await run("pass");
  expect(instance.memoryBytes()).toBeGreaterThan(8 * MEBIBYTE);
  instance.release?.();
  expect(instance.memoryBytes()).toBe(0);
  await run("influxdb3_local.cache.put('key', [1])");
  instance.release?.();
  expect(instance.memoryBytes()).toBeGreaterThan(8 * MEBIBYTE);
  expect(await run("influxdb3_local.info(influxdb3_local.cache.get('key'))")).toEqual(["info: [1]"]);
  await instance.close();
});
