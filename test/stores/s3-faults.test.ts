// Goal: one fault of the network or of the store costs nobody anything: the retries hide it, nothing is lost, nothing
// doubled, and no lost answer passes for another process. Method: a whole node (claim, catalog, WAL in the store, snapshots)
// on the double over real HTTP; call N is refused, answered with 503, or its answer is lost, for every N.
import { describe, expect, it } from "vitest";
import { createS3ObjectStore } from "../../src/adapters/object-store/s3/store.ts";
import { createSystemClock } from "../../src/adapters/system/clock.ts";
import { createObjectWalLog } from "../../src/adapters/wal-log/object.ts";
import { NodeClaim } from "../../src/engine/stores/node-claim.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { newDisk, openStorage, request, type Opened } from "../support/open-storage.ts";
import { S3Double, type Fault } from "../support/s3-double.ts";

const clock = createSystemClock();
const quiet = { log: () => undefined };
let marks = 0;

const storeOn = (double: S3Double): ObjectStore =>
  createS3ObjectStore({
    bucket: double.bucket, region: "us-east-1", endpoint: new URL(double.url), clock, random: () => 0.001, randomName: () => `mark-${marks++}`,
    credentials: async () => ({ accessKeyId: double.accessKeyId, secretAccessKey: double.secretAccessKey }),
  });

async function openNode(store: ObjectStore): Promise<Opened> {
  const claim = await NodeClaim.take({ store, nodeId: "n0", processName: `p${marks++}`, hostName: "h", clock: new VirtualClock(), log: quiet });
  const wal = createObjectWalLog({ store, prefix: "n0/wal/", clock, log: quiet, random: () => 0, confirm: () => claim.verify(), supersede: () => claim.supersede() });
  const guarded = claim.guard(store);
  const opened = await openStorage(newDisk(), { store: guarded, parquetStore: guarded, wal });
  claim.onSuperseded((error) => opened.storage.refuseWrites(error));
  return opened;
}

/** Everything a node does, with nothing failing to the outside; returns how many calls it took. */
async function useNode(double: S3Double): Promise<number> {
  const node = await openNode(storeOn(double));
  for (const id of [1, 2, 3]) {
    await node.storage.write(request(`a,t=x id=${id}i ${id}\nb id=${id}i ${id}`));
    if (id === 2) await node.storage.snapshotNow();
  }
  expect(node.lines).toEqual([]);
  expect(node.storage.statistics()).toMatchObject({ rows: 2, persistedRows: 4 });
  return double.calls.length;
}

const SLOW_DOWN: Fault = { status: 503, code: "SlowDown" };

const KINDS: readonly (readonly [name: string, fault: (at: number) => Fault])[] = [
  ["the answer is lost", () => "lose"],
  ["the line is cut, or the store says to slow down", (at) => (at % 2 === 0 ? "refuse" : SLOW_DOWN)],
];

describe("a node on S3", () => {
  it.each(KINDS)("hides one fault at any call: %s", { timeout: 120_000 }, async (_name, fault) => {
    const double = await new S3Double({ pageSize: 2 }).start();
    try {
      const calls = await useNode(double);
      expect(calls).toBeGreaterThan(30);
      for (let at = 0; at < calls; at++) {
        double.objects.clear();
        double.calls.length = 0;
        double.fault = (_call, index) => (index === at ? fault(at) : undefined);
        await useNode(double);
        double.fault = () => undefined;
        const fresh = await openNode(storeOn(double));
        expect(fresh.storage.statistics(), `call ${at}`).toMatchObject({ rows: 2, persistedRows: 4 });
      }
    } finally {
      await double.stop();
    }
  });
});
