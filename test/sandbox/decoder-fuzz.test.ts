// The guest's C row decoder under mutated batches: each gives rows or a ValueError, whatever the bytes say. The mutations run
// inside the guest; TIDEMARK_FUZZ_INPUTS sets how many.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PluginRuntime } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, scheduled } from "./fixture.ts";

const INPUTS = Number(process.env["TIDEMARK_FUZZ_INPUTS"] ?? 20_000);
/** A slow machine under load decodes some hundred a second. */
const MS_MAX = 60_000 + INPUTS;

const FUZZ = `
import random
import _tidemark_host as host
from _tidemark import warming
whole = warming._sample_batch()
names = warming._COLUMNS
edges = (0, 1, 7, 8, 0x7F, 0x80, 0xFF)
counts = {"rows": 0, "refused": 0}
done = 0
while done < ${INPUTS}:
    done += 200
    for _ in range(200):
        batch = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(batch)) if random.random() < 0.5 else random.randrange(64)
            if random.random() < 0.5:
                batch[at] = random.choice(edges)
            else:
                batch[at & ~3:(at & ~3) + 4] = random.choice((0, 1, 2**16, 2**31, 2**32 - 1, 2**32 - 8, random.getrandbits(32))).to_bytes(4, "little")
        if random.random() < 0.2:
            del batch[random.randrange(len(batch)):]
        try:
            rows = host.decode_rows(random.choice((None, names, names[:3])), bytes(batch), random.random() < 0.5)
            repr(rows[:3])
            counts["rows"] += 1
        except (ValueError, MemoryError):
            counts["refused"] += 1
influxdb3_local.info(counts["rows"] > 0 and counts["refused"] > 100, counts)
`;

let runtime: PluginRuntime;
beforeAll(async () => {
  runtime = createTestRuntime();
  await runtime.start();
});
afterAll(() => runtime.close());

test(`${INPUTS} mutated batches give rows or ValueError`, { timeout: MS_MAX + 30_000 }, async () => {
  const instance = runtime.createInstance("fuzz", { memoryBytesMax: 128 * MEBIBYTE });
  const host = new RecordingHost();
  const outcome = await instance.run(scheduled(FUZZ), host, { wallTimeMsMax: MS_MAX });
  expect(outcome).toMatchObject({ kind: "done" });
  expect(host.logged).toEqual([expect.stringMatching(/^info: True /)]);
  await instance.close();
});
