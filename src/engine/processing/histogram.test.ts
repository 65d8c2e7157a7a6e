import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../testing/virtual-clock.ts";
import { DURATION_BOUNDS, Histogram } from "./histogram.ts";
import { LagMeter } from "./lag-meter.ts";
import { LAG_MARK_MS, LAG_MARKS_MAX } from "./limits.ts";

describe("the histogram of durations", () => {
  it("counts each duration in its bucket and in all above it, as Prometheus reads them", () => {
    const histogram = new Histogram();
    for (const seconds of [0.001, 0.0011, 0.2, 100]) histogram.add(seconds);
    const counts = new Map(histogram.buckets());
    expect([counts.get(0.000_5), counts.get(0.001), counts.get(0.002_5), counts.get(0.25), counts.get(30)]).toEqual([0, 1, 2, 3, 3]);
    expect([histogram.count, histogram.sum]).toEqual([4, 100.2021]);
    expect([histogram.quantile(0.5), histogram.quantile(0.75), histogram.quantile(1)]).toEqual([0.002_5, 0.25, Number.POSITIVE_INFINITY]);
    expect(DURATION_BOUNDS).toEqual([...DURATION_BOUNDS].sort((left, right) => left - right));
  });
});

describe("the lag of a trigger", () => {
  it("is the rows that it has not been through and the age of the oldest", async () => {
    const clock = new VirtualClock();
    const lag = new LagMeter(clock);
    lag.add(1, 10);
    await clock.advance(LAG_MARK_MS);
    lag.add(2, 5);
    await clock.advance(900);
    expect(lag.at(0)).toEqual({ rows: 15, seconds: 1 });
    expect(lag.at(1)).toEqual({ rows: 5, seconds: 0.9 });
    expect(lag.at(2)).toEqual({ rows: 0, seconds: 0 });
  });

  it("keeps the sum and the oldest age when it joins marks of a long time", async () => {
    const clock = new VirtualClock();
    const lag = new LagMeter(clock);
    const marks = LAG_MARKS_MAX * 3;
    for (let sequence = 1; sequence <= marks; sequence++) {
      lag.add(sequence, 2);
      await clock.advance(LAG_MARK_MS);
    }
    expect(lag.at(0)).toEqual({ rows: marks * 2, seconds: (marks * LAG_MARK_MS) / 1000 });
  });
});
