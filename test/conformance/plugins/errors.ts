/** Errors of plugins (spec: processing-engine §9, §10; tracebacks are ours, influxdb#26652). */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, onWrites, request, rows, store, unique, wal, write, finished } from "./harness.ts";

const CALL = "Python function call failed: ";

const RAISED: readonly (readonly [title: string, body: string, text: string])[] = [
  ["an exception by class name and text", 'raise ValueError("bad room")', `${CALL}ValueError: bad room`],
  ["a KeyError has Python's quotes", 'raise KeyError("x")', `${CALL}KeyError: 'x'`],
  ["an exception without text", "raise RuntimeError", `${CALL}RuntimeError: `],
  ["an own class by its qualified name, without module", "class Own(Exception): pass\nraise Own('mine')", `${CALL}process_request.<locals>.Own: mine`],
  ["arguments that are not text", "raise ValueError(1, None)", `${CALL}ValueError: (1, None)`],
  ["sys.exit() is an ordinary error (§9.3)", "import sys\nsys.exit(3)", `${CALL}SystemExit: 3`],
  ["a deep recursion is an ordinary error", "def f(): return f()\nf()", `${CALL}RecursionError: maximum recursion depth exceeded`],
  ["a missing module", "import pandas_of_nowhere", `${CALL}ModuleNotFoundError: No module named 'pandas_of_nowhere'`],
  ["KeyboardInterrupt of the plugin's own", 'raise KeyboardInterrupt("mine")', `${CALL}KeyboardInterrupt: mine`],
  ["an assertion", "assert 1 == 2, 'no'", `${CALL}AssertionError: no`],
  ["a group of exceptions", "raise ExceptionGroup('g', [ValueError(1)])", `${CALL}ExceptionGroup: g (1 sub-exception)`],
  ["an uncaught query error", 'influxdb3_local.query("nonsense")', `${CALL}QueryError: error: `],
];

export function errorCases(): void {
  describe("§10.4, §9.3, request plugins that raise", () => {
    it.each(RAISED)("%s", async (_title, body, text) => {
      const answer = await request(body);
      expect([answer.status, (JSON.parse(answer.body) as { error: string }).error]).toEqual([500, expect.stringContaining(text)]);
      expect((JSON.parse(answer.body) as { error: string }).error.startsWith(CALL)).toBe(true);
    });
    it("module-level exceptions lack the prefix", async () => {
      const answer = await request("return 'x'", { before: 'raise ValueError("at import")\n' });
      expect([answer.status, (JSON.parse(answer.body) as { error: string }).error]).toEqual([500, "ValueError: at import"]);
    });
    it("a missing entry point is told as it is", async () => {
      const trigger = await createTrigger(await store("x = 1\n"), "request");
      expect((JSON.parse((await trigger.get()).body) as { error: string }).error).toBe("the process_request function is not present in the plugin. Should be defined as: process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None) -> Tuple[str, Optional[Dict[str, str]]]");
      await trigger.remove();
    });
    it("the log row has the reference's first line, then Python's traceback with the plugin's line", async () => {
      const trigger = await createTrigger(await store(handler('def inner():\n    raise ValueError("deep")\ninner()')), "request");
      await trigger.get();
      const [row] = await trigger.said();
      expect(row?.split("\n")[0]).toBe(`ERROR error running request plugin: ${CALL}ValueError: deep`);
      expect(row).toMatch(/File ".*case_\d+\.py", line 5, in process_request/);
      expect(row).toContain('raise ValueError("deep")');
      await trigger.remove();
    });
    it("the fixed last line is missing after a failure (§10)", async () => {
      const trigger = await createTrigger(await store(handler("raise ValueError")), "request");
      await trigger.get();
      expect((await trigger.logs()).some((line) => line.includes("finished execution"))).toBe(false);
      await trigger.remove();
    });
  });

  describe("§9.2, error_behavior of WAL plugins", () => {
    it("log: one row with the reference's text, the next event is served", async () => {
      const { trigger, said } = await wal('if table_batches[0]["rows"][0]["f"] == 1: raise ValueError("first")\ninfluxdb3_local.info("second")', "m f=1 1");
      expect(said[0]?.split("\n")[0]).toBe("ERROR error executing wal plugin: ValueError: first");
      await write(trigger.database, "m f=2 2");
      await finished(trigger, 2);
      expect((await trigger.said()).at(-1)).toBe("INFO second");
      await trigger.remove();
    });
    it("a missing entry point is an error with the exact text", async () => {
      const database = unique("waldb");
      const trigger = await createTrigger(await store("x = 1\n"), "all_tables", { database });
      await write(database, "m f=1");
      await finished(trigger);
      expect((await trigger.said())[0]).toBe("ERROR error executing wal plugin: the process_writes function is not present in the plugin. Should be defined as: process_writes(influxdb3_local, table_batches, args=None)");
      await trigger.remove();
    });
    it("a return value is not an error", async () => {
      const { trigger, said } = await wal("return 5", "m f=1");
      expect(said).toEqual([]);
      await trigger.remove();
    });
    it("retry: again with the same rows, effects of a failed attempt stay out", async () => {
      const body = 'n = influxdb3_local.cache.get("n", 0) + 1\ninfluxdb3_local.cache.put("n", n)\ninfluxdb3_local.write(LineBuilder(f"attempt{n}").int64_field("n", n))\nif n < 3: raise ValueError(n)\ninfluxdb3_local.info(n, table_batches[0]["rows"][0]["f"])';
      const database = unique("waldb");
      const trigger = await createTrigger(await store(onWrites(body)), "table:m", { database, errorBehavior: "retry" });
      await write(database, "m f=7 1");
      await finished(trigger);
      expect((await trigger.said()).at(-1)).toBe("INFO 3 7.0");
      expect((await rows(database, "SHOW TABLES")).map((row) => String(row["table_name"])).filter((name) => name.startsWith("attempt"))).toEqual(["attempt3"]);
      await trigger.remove();
    });
    it("a missing schedule entry point is an error with the exact text", async () => {
      const trigger = await createTrigger(await store("x = 1\n"), "every:1s");
      await finished(trigger);
      expect((await trigger.said())[0]).toBe("ERROR error executing schedule plugin: the process_scheduled_call function is not present in the plugin. Should be defined as: process_scheduled_call(influxdb3_local, call_time, args=None)");
      await trigger.remove();
    });
  });
}
