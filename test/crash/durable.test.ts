// Goal: after `kill -9` a durable trigger gets every acknowledged row that it had not done, at least once, and what its runs
// wrote is there; a trigger without the setting may miss rows, as in the reference. Method: a real server with small WAL
// files and frequent snapshots, a plugin that copies row numbers, random kills. `CRASH_ROUNDS` raises the number of rounds.
import { afterAll, expect, it } from "vitest";
import { eventually, post, queryRows, removeFolder, startServer, temporaryFolder } from "../support/server.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 3);
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_126);
const ROWS_PER_WRITE = 20;

const COPY = `
import time

def process_writes(local, batches, args):
    for batch in batches:
        for row in batch["rows"]:
            local.write(LineBuilder("out").int64_field("n", row["n"]).time_ns(row["time"]))
    time.sleep(0.02)
`;

const folder = temporaryFolder();
afterAll(() => removeFolder(folder));

it(`delivers every acknowledged row over ${ROUNDS} kills (seed ${SEED})`, { timeout: 60_000 + ROUNDS * 40_000 }, async () => {
  const random = seededRandom(SEED);
  const flags = ["--wal-snapshot-size", "2", "--wal-flush-interval", "20ms"];
  const acknowledged = new Set<number>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer({ folder, flags });
    if (round === 0) {
      expect((await post(server, "/api/v3/write_lp?db=db", "m n=-1i 1700000000000000000")).status).toBe(204);
      expect((await post(server, "/api/v3/plugins/files", { plugin_name: "copy.py", content: COPY })).status).toBe(200);
      const trigger = { db: "db", trigger_name: "copy", plugin_filename: "copy.py", trigger_specification: "table:m", durable: true };
      expect(await post(server, "/api/v3/configure/processing_engine_trigger", trigger)).toMatchObject({ status: 200 });
    }
    let alive = true;
    const client = async (): Promise<void> => {
      while (alive) {
        const ids = Array.from({ length: ROWS_PER_WRITE }, () => next++);
        const body = ids.map((id) => `m n=${id}i ${1_700_000_000_000_000_001n + BigInt(id)}`).join("\n");
        const answer = await post(server, "/api/v3/write_lp?db=db", body).catch(() => undefined);
        if (answer === undefined) return;
        expect(answer.status).toBe(204);
        for (const id of ids) acknowledged.add(id);
      }
    };
    const clients = [client(), client()];
    await new Promise((resolve) => setTimeout(resolve, 600 + random() * 1_500));
    await server.stop("SIGKILL");
    alive = false;
    await Promise.all(clients);
  }
  const server = await startServer({ folder, flags });
  const copied = await eventually(
    "all rows to be copied",
    async () => {
      const rows = await queryRows(server, "db", "SELECT DISTINCT n FROM out");
      const found = new Set(rows?.map(({ n }) => n as number));
      return [...acknowledged].every((id) => found.has(id)) ? found : undefined;
    },
    60_000,
  );
  expect(acknowledged.size).toBeGreaterThan(ROUNDS * ROWS_PER_WRITE);
  expect([...copied].every((id) => id >= 0 && id < next)).toBe(true);
  expect(await queryRows(server, "db", "SELECT * FROM system.processing_engine_gaps")).toEqual([]);
  await server.stop("SIGKILL");
});
