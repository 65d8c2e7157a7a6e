// Goal: with the WAL in the store an acknowledged write survives `kill -9` and the loss of the machine, on a store that
// fails now and then. Method: several clients write numbered batches; the server is killed at a random moment and replaced
// by one with an empty folder; every twentieth call to the store is cut, refused or loses its answer. `CRASH_ROUNDS` raises
// the number of rounds, `CRASH_SEED` replays.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { eventually, post, queryRows, removeFolder, startServer, type TestServer } from "../support/server.ts";
import { S3Double, type Fault } from "../support/s3-double.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 3);
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_126);
const CLIENTS = 3;
const LINES_PER_BATCH = 7;
const FAULT_SHARE = 0.05;
const FAULTS: readonly Fault[] = ["refuse", "lose", { status: 503, code: "SlowDown" }, { status: 500, code: "InternalError" }];

const double = new S3Double({ pageSize: 10 });
beforeAll(() => double.start());
afterAll(() => double.stop());

const random = seededRandom(SEED);
const start = (): Promise<TestServer> => startServer({ flags: [...double.flags, "--wal-object-store", "--wal-flush-interval", "20ms", "--wal-snapshot-size", "10"] });

describe(`kill -9 on a bucket (seed ${SEED})`, () => {
  it(`loses no acknowledged batch and leaves none half there in ${ROUNDS} rounds`, { timeout: 30_000 + ROUNDS * 30_000 }, async () => {
    double.fault = () => (random() < FAULT_SHARE ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined);
    const acknowledged = new Set<number>();
    let batch = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const server = await start();
      const before = acknowledged.size;
      let alive = true;
      const client = async (): Promise<void> => {
        while (alive) {
          const id = batch++;
          const lines = Array.from({ length: LINES_PER_BATCH }, (_, line) => `b,line=${line} id=${id}i ${1_700_000_000_000_000_000n + BigInt(id)}`);
          const answer = await post(server, "/api/v3/write_lp?db=crash&precision=nanosecond", lines.join("\n")).catch(() => undefined);
          if (answer === undefined) return;
          if (answer.status === 204) acknowledged.add(id);
        }
      };
      const clients = Array.from({ length: CLIENTS }, client);
      await eventually("some acknowledged batches", () => (acknowledged.size > before + CLIENTS ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, random() * 400));
      await server.stop("SIGKILL");
      alive = false;
      await Promise.all(clients);
      removeFolder(server.folder);
    }
    double.fault = () => undefined;
    const server = await start();
    const rows = (await queryRows(server, "crash", "SELECT id, count(*) AS lines FROM b GROUP BY id")) ?? [];
    const found = new Map(rows.map((row) => [row["id"] as number, row["lines"] as number]));
    expect([...acknowledged].filter((id) => found.get(id) !== LINES_PER_BATCH)).toEqual([]);
    expect([...found].filter(([, lines]) => lines !== LINES_PER_BATCH)).toEqual([]);
    await server.stop("SIGKILL");
    removeFolder(server.folder);
  });
});
