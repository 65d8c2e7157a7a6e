/** Buffered and synchronous writes of a plugin (spec: processing-engine §9.3, §11, §24). */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, request, rows, store, unique } from "./harness.ts";

/** Runs `body` in a request plugin in a database of its own. */
async function run(body: string, database = unique("written")): Promise<{ database: string; status: number; body: string; errors: string[] }> {
  const trigger = await createTrigger(await store(handler(`${body}\nreturn "done"`)), "request", { database });
  const answer = await trigger.get();
  const errors = (await trigger.said()).filter((line) => line.startsWith("ERROR"));
  await trigger.remove();
  return { database, status: answer.status, body: answer.body, errors };
}

const count = async (database: string, table: string): Promise<unknown> => {
  try {
    return (await rows(database, `SELECT count(*) AS n FROM ${table}`))[0]?.["n"];
  } catch {
    return "no table";
  }
};

const LINES = 'class Lines:\n    def __init__(self, text): self.text = text\n    def build(self): return self.text\n';

export function writeCases(): void {
  describe("§11, buffered writes", () => {
    it("are stored after the run", async () => {
      const { database } = await run('influxdb3_local.write(LineBuilder("m").tag("t", "a").int64_field("n", 1).time_ns(5))');
      expect(await rows(database, "SELECT * FROM m")).toEqual([{ n: 1, t: "a", time: "1970-01-01T00:00:00.000000005" }]);
    });
    it("are not there while the plugin runs", async () => {
      const answer = await run('influxdb3_local.write(LineBuilder("m").int64_field("n", 1))\ntry:\n    influxdb3_local.query("SELECT * FROM m")\nexcept Exception as e:\n    return type(e).__name__');
      expect(answer.body).toBe("QueryError");
    });
    it("are dropped when the run fails", async () => {
      const { database, status } = await run('influxdb3_local.write(LineBuilder("m").int64_field("n", 1))\nraise ValueError("late")');
      expect([status, await count(database, "m")]).toEqual([500, "no table"]);
    });
    it("of a failed run do not turn up in the next one", async () => {
      const database = unique("written");
      const trigger = await createTrigger(await store(handler('influxdb3_local.write(LineBuilder(query_parameters["t"]).int64_field("n", 1))\nif query_parameters["t"] == "bad": raise ValueError\nreturn "ok"')), "request", { database });
      await trigger.get("?t=bad");
      await trigger.get("?t=good");
      expect([await count(database, "bad"), await count(database, "good")]).toEqual(["no table", 1]);
      await trigger.remove();
    });
    it("build() is called at once", async () => {
      const { database } = await run('line = LineBuilder("m").int64_field("n", 1).time_ns(1)\ninfluxdb3_local.write(line)\nline.int64_field("n", 2).time_ns(2)\ninfluxdb3_local.write(line)');
      expect(await rows(database, "SELECT n FROM m ORDER BY time")).toEqual([{ n: 1 }, { n: 2 }]);
    });
    it("any object with build() will do", async () => {
      const { database } = await run(`${LINES}\ninfluxdb3_local.write(Lines("m n=1i 5"))`);
      expect(await count(database, "m")).toBe(1);
    });
    it("build() may give many lines (§24)", async () => {
      const { database } = await run(`${LINES}\ninfluxdb3_local.write(Lines("\\n".join(f"m n={n}i {n}" for n in range(1, 101))))`);
      expect(await count(database, "m")).toBe(100);
    });
    it("times are nanoseconds, without guessing", async () => {
      const { database } = await run(`${LINES}\ninfluxdb3_local.write(Lines("m n=1i 1700000000"))`);
      expect(await rows(database, "SELECT time FROM m")).toEqual([{ time: "1970-01-01T00:00:01.700" }]);
    });
    it("lines without a time have one time for the whole batch", async () => {
      const { database } = await run(`${LINES}\ninfluxdb3_local.write(Lines("m,t=a n=1i\\nm,t=b n=1i"))\ninfluxdb3_local.write(Lines("m,t=c n=1i"))`);
      expect(await rows(database, "SELECT count(DISTINCT time) AS times, count(*) AS n FROM m")).toEqual([{ times: 1, n: 3 }]);
    });
    it("write_to_db makes the other database", async () => {
      const other = unique("other");
      await run(`influxdb3_local.write_to_db("${other}", LineBuilder("m").int64_field("n", 1))`);
      expect(await count(other, "m")).toBe(1);
    });
    it("one bad line rejects the database's batch, is logged and fails nothing (§9.3)", async () => {
      const other = unique("other");
      const { database, status, body, errors } = await run(`${LINES}\ninfluxdb3_local.write(Lines("m n=1i"))\ninfluxdb3_local.write(Lines("broken"))\ninfluxdb3_local.write_to_db("${other}", Lines("m n=1i"))`);
      expect([status, body]).toEqual([200, "done"]);
      expect(errors).toEqual([expect.stringMatching(new RegExp(`^ERROR error running request plugin: error writing back lines to ${database}: .*parse failed`, "s"))]);
      expect([await count(database, "m"), await count(other, "m")]).toEqual(["no table", 1]);
    });
    it("a database name that cannot be is logged after the run (§9.3)", async () => {
      const { status, errors } = await run(`${LINES}\ninfluxdb3_local.write_to_db("a b", Lines("m n=1i"))`);
      expect([status, errors]).toEqual([200, [expect.stringMatching(/^ERROR error running request plugin: (error writing back lines to a b: )?.*a b/s)]]);
    });
    it("a type conflict is logged", async () => {
      const database = unique("written");
      await run(`${LINES}\ninfluxdb3_local.write(Lines("m n=1i"))`, database);
      const { errors } = await run(`${LINES}\ninfluxdb3_local.write(Lines("m n=1.5"))`, database);
      expect(errors).toEqual([expect.stringContaining(`error writing back lines to ${database}: `)]);
    });
  });

  describe("§11, write_sync", () => {
    it.each(["True", "False"])("with no_sync=%s is there at once", async (noSync) => {
      const answer = await run(`influxdb3_local.write_sync(LineBuilder("m").int64_field("n", 7), ${noSync})\nimport time\nfor _ in range(200):\n    try:\n        return str(influxdb3_local.query("SELECT n FROM m")[0]["n"])\n    except Exception:\n        time.sleep(0.01)`);
      expect(answer.body).toBe("7");
    });
    it("is kept when the run fails", async () => {
      const { database, status } = await run('influxdb3_local.write_sync(LineBuilder("m").int64_field("n", 1), False)\nraise ValueError("late")');
      expect([status, await count(database, "m")]).toEqual([500, 1]);
    });
    it("is all or nothing", async () => {
      const { database, body } = await run(`${LINES}\ntry:\n    influxdb3_local.write_sync(Lines("m n=1i\\nbroken"), False)\nexcept Exception as e:\n    return type(e).__name__`);
      expect([body, await count(database, "m")]).toEqual(["Exception", "no table"]);
    });
    it("write_sync_to_db makes the other database at once", async () => {
      const other = unique("other");
      const { body } = await run(`influxdb3_local.write_sync_to_db("${other}", LineBuilder("m").int64_field("n", 3), False)\nreturn str(influxdb3_local.query("SELECT n FROM m", database="${other}")[0]["n"])`);
      expect(body).toBe("3");
    });
    it("takes many lines of build() (§24)", async () => {
      const { database } = await run(`${LINES}\ninfluxdb3_local.write_sync(Lines("m n=1i 1\\nm n=2i 2\\n"), no_sync=False)`);
      expect(await count(database, "m")).toBe(2);
    });
    it("empty text is refused as an empty write", async () => {
      const { body } = await run(`${LINES}\ntry:\n    influxdb3_local.write_sync(Lines(""), False)\nexcept Exception as e:\n    return type(e).__name__\nreturn "accepted"`);
      expect(["Exception", "accepted"]).toContain(body);
    });
  });

  it("§12, the builtin LineBuilder needs no import and its errors stand in __main__", async () => {
    expect((await request('import __main__\ntry:\n    LineBuilder("a b")\nexcept __main__.InvalidMeasurementError as e:\n    return str(isinstance(e, __main__.InfluxDBError))')).body).toBe("True");
  });
}
