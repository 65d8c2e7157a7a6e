import { describe, expect, it } from "vitest";
import { createTrigger, rows, testRun, unique, write, type Answer } from "../../../test/conformance/plugins/harness.ts";

/** Two rooms, a row each 5 minutes from 00:00 of 2026-01-01 on. */
const T0 = 1_767_225_600;
const at = (minute: number): string => `${T0 + minute * 60}000000000`;
const LINES = [
  `home,room=a,floor=0 temp=10,hum=1i ${at(0)}`,
  `home,room=a,floor=0 temp=20,hum=3i ${at(5)}`,
  `home,room=a,floor=0 temp=40,hum=5i ${at(10)}`,
  `home,room=b,floor=1 temp=2,note="x" ${at(0)}`,
  `home,room=b,floor=1 temp=6,note="y" ${at(9)}`,
].join("\n");
const RANGE = "start=2026-01-01T00:00:00Z&end=2026-01-01T00:20:00Z";

async function ask(args: Record<string, string>, query = RANGE): Promise<{ database: string; answer: Answer }> {
  const database = unique("bundled");
  await write(database, LINES);
  const trigger = await createTrigger("downsampler/downsampler.py", "request", { database, arguments: { source: "home", target: "coarse", ...args } });
  const answer = await trigger.get(`?${query}`);
  await trigger.remove();
  return { database, answer };
}

const REFUSED: readonly (readonly [args: Record<string, string>, query: string, text: string])[] = [
  [{ source: "" }, RANGE, "the argument source is missing"],
  [{ target: "home" }, RANGE, "source and target are the same table"],
  [{ source: "none" }, RANGE, "there is no table 'none'"],
  [{ interval: "ten" }, RANGE, "interval=ten is no duration; write 30s, 10m, 2h, 1d or 1w"],
  [{ interval: "0s" }, RANGE, "interval must not be 0"],
  [{ interval: "10m", window: "15m" }, RANGE, "window (900s) is no multiple of interval (600s)"],
  [{ group_by: "temp" }, RANGE, "group_by names 'temp', which is no tag; there are "],
  [{ calculations: "room:avg" }, RANGE, "calculations names 'room', which is no field; there are "],
  [{ calculations: "temp:mode" }, RANGE, "there is no function 'mode'; there are avg, min"],
  [{ calculations: "note:avg" }, RANGE, "'note' is no number, so it has no avg"],
  [{}, "start=2026-01-01", "the argument end is missing"],
  [{}, "start=soon&end=later", "start=soon is no time; write 2026-01-31T12:00:00Z"],
  [{ interval: "1s" }, "start=2020-01-01&end=2026-01-01", "the range has more than 100000 buckets"],
];

export function downsamplerCases(): void {
  describe("downsampler", () => {
    it("averages every number by series and bucket, integers become floats", async () => {
      const { database, answer } = await ask({ interval: "10m" });
      expect(JSON.parse(answer.body)).toEqual({ source: "home", target: "coarse", rows: 3, start: "2026-01-01T00:00:00Z", end: "2026-01-01T00:20:00Z" });
      expect(await rows(database, "SELECT room, floor, temp, hum, time FROM coarse ORDER BY room, time")).toEqual([
        { room: "a", floor: "0", temp: 15, hum: 2, time: "2026-01-01T00:00:00" },
        { room: "a", floor: "0", temp: 40, hum: 5, time: "2026-01-01T00:10:00" },
        { room: "b", floor: "1", temp: 4, time: "2026-01-01T00:00:00" },
      ]);
    });

    it("computes the functions that are named, over all series if wanted", async () => {
      const { database } = await ask({ interval: "20m", group_by: "none", calculations: "temp:min.max.sum.count.median;note:first;hum:last" });
      expect(await rows(database, "SELECT * FROM coarse")).toEqual([
        { hum: 5, note: "x", temp_count: 5, temp_max: 40, temp_median: 10, temp_min: 2, temp_sum: 78, time: "2026-01-01T00:00:00" },
      ]);
    });

    it("groups by some of the tags", async () => {
      const { database } = await ask({ interval: "20m", group_by: "floor", calculations: "temp:count" });
      expect(await rows(database, "SELECT floor, temp FROM coarse ORDER BY floor")).toEqual([{ floor: "0", temp: 3 }, { floor: "1", temp: 2 }]);
    });

    it("replaces a bucket that is computed again", async () => {
      const database = unique("bundled");
      await write(database, LINES);
      const trigger = await createTrigger("downsampler/downsampler.py", "request", { database, arguments: { source: "home", target: "coarse", interval: "20m", group_by: "none", calculations: "temp:max" } });
      await trigger.get(`?${RANGE}`);
      await write(database, `home,room=c temp=99 ${at(1)}`);
      await trigger.get(`?${RANGE}`);
      expect(await rows(database, "SELECT temp FROM coarse")).toEqual([{ temp: 99 }]);
      await trigger.remove();
    });

    it("lets the query override the arguments", async () => {
      const { database } = await ask({ interval: "10m" }, `${RANGE}&interval=20m&target=other&group_by=none&calculations=temp:count`);
      expect(await rows(database, "SELECT temp FROM other")).toEqual([{ temp: 5 }]);
    });

    it("on a schedule it takes the bucket that ended last", async () => {
      const database = unique("bundled");
      const now = Math.floor(Date.now() / 1000);
      const bucket = now - (now % 3600) - 3600;
      await write(database, [`home temp=1 ${bucket}000000000`, `home temp=3 ${bucket + 3599}000000000`, `home temp=100 ${bucket + 3600}000000000`, `home temp=100 ${bucket - 1}000000000`].join("\n"));
      const report = await testRun("schedule", { filename: "downsampler/downsampler.py", database, input_arguments: { source: "home", target: "coarse", interval: "1h" } });
      expect([report.errors, report.database_writes]).toEqual([[], { [database]: [`coarse temp=2.0 ${bucket}000000000`] }]);
      expect(report.log_lines[1]).toBe("INFO: downsampled home to coarse: 1 rows");
    });

    it("on a schedule a mistake is an ERROR row", async () => {
      const report = await testRun("schedule", { filename: "downsampler/downsampler.py", database: "conformance", input_arguments: { target: "x" } });
      expect(report.log_lines[1]).toBe("ERROR: downsampler: the argument source is missing");
    });

    it.each(REFUSED)("refuses %j with %s", async (args, query, text) => {
      const { answer } = await ask(args, query);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, { error: expect.stringContaining(text) }]);
    });
  });
}
