// Goal: an acknowledged write is there after `kill -9`, once, and no request is half there. Method: several clients write
// numbered batches to a real server that is killed at a random moment; after the restart every acknowledged batch must be
// complete and every other one complete or absent. `CRASH_ROUNDS` raises the number of rounds, `CRASH_SEED` replays.
import { afterAll, describe, expect, it } from "vitest";
import { post, queryRows, removeFolder, startServer, temporaryFolder } from "../support/server.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 5);
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_124);
const CLIENTS = 4;
const LINES_PER_BATCH = 7;

const folders = [temporaryFolder(), temporaryFolder()] as const;
afterAll(() => folders.forEach(removeFolder));

/** With the second a snapshot is under way most of the time. */
const settings = [
  { name: "in the WAL", folder: folders[0], flags: [] },
  { name: "moving to Parquet", folder: folders[1], flags: ["--wal-snapshot-size", "1", "--wal-flush-interval", "20ms"] },
] as const;

describe(`kill -9 (seed ${SEED})`, () => {
  it.each(settings)(`loses no acknowledged batch and leaves none half there in ${ROUNDS} rounds, $name`, { timeout: 30_000 + ROUNDS * 30_000 }, async ({ folder, flags }) => {
    const random = seededRandom(SEED);
    const acknowledged = new Set<number>();
    let batch = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const server = await startServer({ folder, flags });
      let alive = true;
      const client = async (): Promise<void> => {
        while (alive) {
          const id = batch++;
          const lines = Array.from({ length: LINES_PER_BATCH }, (_, line) => `b,line=${line} id=${id}i ${1_700_000_000_000_000_000n + BigInt(id)}`);
          const answer = await post(server, "/api/v3/write_lp?db=crash&precision=nanosecond", lines.join("\n")).catch(() => undefined);
          if (answer === undefined) return;
          expect(answer.status).toBe(204);
          acknowledged.add(id);
        }
      };
      const clients = Array.from({ length: CLIENTS }, client);
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 250));
      await server.stop("SIGKILL");
      alive = false;
      await Promise.all(clients);
    }
    const server = await startServer({ folder, flags });
    const rows = (await queryRows(server, "crash", "SELECT id, count(*) AS lines FROM b GROUP BY id")) ?? [];
    const found = new Map(rows.map((row) => [row["id"] as number, row["lines"] as number]));
    expect([...acknowledged].filter((id) => found.get(id) !== LINES_PER_BATCH)).toEqual([]);
    expect([...found].filter(([, lines]) => lines !== LINES_PER_BATCH)).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
    await server.stop("SIGKILL");
  });
});
