// Goal: an acknowledged write is there after `kill -9`, once, and no request is half there. Method: several clients write
// numbered batches to a real server that is killed at a random moment, also while rows move to Parquet, files are merged,
// manifests and the catalog are checkpointed and tables are deleted for good: with small limits one of these is under way
// most of the time. After the restart every acknowledged batch must be complete and every other one complete or absent.
// `npm run test:crash -- --rounds N --seed S` sets the number of rounds and replays.
import { afterAll, describe, expect, it } from "vitest";
import { eventually, post, queryRows, removeFolder, startServer, temporaryFolder, type TestServer } from "../support/server.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 10);
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_124);
const CLIENTS = 4;
const LINES_PER_BATCH = 7;

const SMALL = ["--wal-snapshot-size", "1", "--wal-flush-interval", "20ms"];
/** Shares of the rounds. The third is long enough for merges, which begin a second after the start. */
const settings = [
  { name: "in the WAL", share: 0.2, flags: [], aliveMs: [0, 300], deletes: false },
  { name: "moving to Parquet", share: 0.3, flags: SMALL, aliveMs: [0, 400], deletes: false },
  { name: "merging and deleting", share: 0.5, flags: [...SMALL, "--delete-grace-period", "1s"], aliveMs: [900, 2_000], deletes: true },
] as const;

const folders: string[] = [];
afterAll(() => folders.forEach(removeFolder));

class Clients {
  readonly acknowledged = new Set<number>();
  #batch = 0;
  #table = 0;

  /** Writes until the server is gone; batches have times of their own in the past, so files are merged at once. */
  async write(server: TestServer, isAlive: () => boolean): Promise<void> {
    while (isAlive()) {
      const id = this.#batch++;
      const lines = Array.from({ length: LINES_PER_BATCH }, (_, line) => `b,line=${line} id=${id}i ${1_700_000_000_000_000_000n + BigInt(id)}`);
      const answer = await post(server, "/api/v3/write_lp?db=crash&precision=nanosecond", lines.join("\n")).catch(() => undefined);
      if (answer === undefined) return;
      expect(answer.status).toBe(204);
      this.acknowledged.add(id);
    }
  }

  /** Makes tables and deletes them for good: many catalog records, and files that have to go. */
  async churn(server: TestServer, isAlive: () => boolean): Promise<void> {
    while (isAlive()) {
      const table = `gone${this.#table++}`;
      const written = await post(server, "/api/v3/write_lp?db=crash&precision=nanosecond", `${table} f=1 1`).catch(() => undefined);
      if (written === undefined) return;
      expect(written.status).toBe(204);
      const deleted = await fetch(`${server.url}/api/v3/configure/table?db=crash&table=${table}&hard_delete_at=now`, { method: "DELETE" }).catch(() => undefined);
      if (deleted === undefined) return;
      expect(deleted.status).toBe(200);
      await deleted.text().catch(() => undefined);
    }
  }

  async check(server: TestServer): Promise<void> {
    const rows = (await queryRows(server, "crash", "SELECT id, count(*) AS lines FROM b GROUP BY id")) ?? [];
    const found = new Map(rows.map((row) => [row["id"] as number, row["lines"] as number]));
    expect([...this.acknowledged].filter((id) => found.get(id) !== LINES_PER_BATCH)).toEqual([]);
    expect([...found].filter(([, lines]) => lines !== LINES_PER_BATCH)).toEqual([]);
  }
}

describe(`kill -9 (seed ${SEED})`, () => {
  it.each(settings)(`loses no acknowledged batch and leaves none half there, $name (${ROUNDS} rounds in all)`, { timeout: 60_000 + ROUNDS * 30_000 }, async ({ share, flags, aliveMs: [from, to], deletes }) => {
    const folder = temporaryFolder();
    folders.push(folder);
    const random = seededRandom(SEED);
    const clients = new Clients();
    let merges = 0;
    for (let round = 0; round < Math.max(1, Math.round(ROUNDS * share)); round++) {
      const server = await startServer({ folder, flags });
      if (round > 0) await clients.check(server);
      let alive = true;
      const isAlive = (): boolean => alive;
      const running = [...Array.from({ length: CLIENTS }, () => clients.write(server, isAlive)), ...(deletes ? [clients.churn(server, isAlive)] : [])];
      const before = clients.acknowledged.size;
      await eventually("a first write", () => (clients.acknowledged.size > before ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, from + random() * (to - from)));
      const metrics = deletes ? await fetch(`${server.url}/metrics`).then((answer) => answer.text(), () => "") : "";
      merges += Number(/^tidemark_merges_total (\d+)/m.exec(metrics)?.[1] ?? 0);
      await server.stop("SIGKILL");
      alive = false;
      await Promise.all(running);
    }
    const server = await startServer({ folder, flags });
    await clients.check(server);
    if (deletes) expect(merges, "no merge was ever under way").toBeGreaterThan(0);
    await server.stop("SIGKILL");
  });
});
