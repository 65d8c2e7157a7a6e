import { describe, expect, it } from "vitest";
import { createTrigger, finished, rows, testRun, unique, write } from "../../../test/conformance/plugins/harness.ts";

const PLUGIN = "schema_validator/schema_validator.py";

async function call(lines: string, args: Record<string, string>): Promise<{ log: string[]; written: string[] }> {
  const report = await testRun("wal", { filename: PLUGIN, database: "checked", input_lp: lines, input_arguments: args, cache_name: unique("cache") });
  expect(report.errors).toEqual([]);
  return { log: report.log_lines.slice(1, -1), written: report.database_writes["checked"] ?? [] };
}

const BROKEN: readonly (readonly [args: Record<string, string>, line: string, rule: string, message: string])[] = [
  [{ required: "room.temp" }, "home,room=a hum=1i 5", "required", "temp: it is missing"],
  [{ types: "temp:int" }, "home temp=1 5", "types", "temp: 1.0 is not int"],
  [{ types: "temp:text" }, "home temp=1 5", "types", "temp: 1.0 is not text"],
  [{ types: "ok:number" }, "home ok=true 5", "types", "ok: True is not number"],
  [{ ranges: "temp:-40..60" }, "home temp=61 5", "ranges", "temp: 61.0 is not in -40..60"],
  [{ ranges: "temp:0.." }, "home temp=-1 5", "ranges", "temp: -1.0 is not in 0..inf"],
  [{ ranges: "temp:..0" }, "home temp=1 5", "ranges", "temp: 1.0 is not in -inf..0"],
  [{ allowed: "room:a|b" }, "home,room=c temp=1 5", "allowed", "room: 'c' is none of a, b"],
  [{ patterns: "room:[a-z]+" }, "home,room=a1 temp=1 5", "patterns", "room: 'a1' does not match [a-z]+"],
  [{ required: "temp", known_only: "true" }, "home temp=1,hum=2 5", "known_only", "hum: no rule names it"],
];

const REFUSED: readonly (readonly [args: Record<string, string>, text: string])[] = [
  [{}, "there are no rules: give required, types, ranges, allowed or patterns"],
  [{ types: "temp" }, "types: 'temp' is not column:value"],
  [{ types: "temp:decimal" }, "types: temp has the type 'decimal'; there are text, int, float, number, bool"],
  [{ ranges: "temp:5" }, "ranges: '5' of temp is no range; write 0..100, 0.. or ..100"],
  [{ ranges: "temp:9..1" }, "ranges: '9..1' of temp is no range; write 0..100, 0.. or ..100"],
  [{ patterns: "room:(" }, "patterns: '(' of room is no regular expression: "],
  [{ required: "temp", target_table: "x" }, "target_table needs table: rows of different tables do not belong in one"],
  [{ required: "temp", table: "x", target_table: "x" }, "the table x would be checked and written to"],
];

export function schemaValidatorCases(): void {
  describe("schema_validator", () => {
    it.each(BROKEN)("%j on %s breaks %s", async (args, line, rule, message) => {
      const { log, written } = await call(line, args);
      expect(written).toEqual([expect.stringContaining(`schema_violations,source_table=home,rule=${rule},column=${message.split(":")[0]} message="${message}",row="{`)]);
      expect(written[0]?.endsWith(" 5")).toBe(true);
      expect(log).toEqual([`WARN: home: 1 of 1 rows break rules (${rule} 1)`]);
    });

    it.each([
      [{ required: "room.temp", types: "temp:float;room:text", ranges: "temp:0..1", allowed: "room:a", patterns: "room:." }, "home,room=a temp=1"],
      [{ types: "temp:int", ranges: "temp:0..1", allowed: "temp:x", patterns: "temp:x" }, "home hum=1"],
      [{ required: "temp", table: "other" }, "home hum=1"],
      [{ required: "temp" }, "schema_violations hum=1"],
    ])("%j is kept by %s", async (args, line) => expect(await call(line, args as Record<string, string>)).toEqual({ log: [], written: [] }));

    it("copies valid rows with tags as tags and fields in their types", async () => {
      const database = unique("bundled");
      await write(database, 'home,room=z temp=0,n=1i,u=1u,ok=true,note="x" 1');
      const trigger = await createTrigger(PLUGIN, "table:home", { database, arguments: { table: "home", ranges: "temp:0..50", target_table: "valid" } });
      await write(database, 'home,room=a temp=20,n=-5i,u=18446744073709551615u,ok=false,note="a \\"b\\"" 10\nhome,room=b temp=99,n=1i 11');
      await finished(trigger);
      expect(await rows(database, "SELECT room, temp, n, u, ok, note FROM valid")).toEqual([{ room: "a", temp: 20, n: -5, u: 18446744073709552000, ok: false, note: 'a "b"' }]);
      expect(await rows(database, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'valid' AND column_name IN ('room', 'u', 'n') ORDER BY column_name")).toEqual([
        { column_name: "n", data_type: "Int64" }, { column_name: "room", data_type: "Dictionary(Int32, Utf8)" }, { column_name: "u", data_type: "UInt64" },
      ]);
      expect(await rows(database, 'SELECT rule, "column" FROM schema_violations')).toEqual([{ rule: "ranges", column: "temp" }]);
      await trigger.remove();
    });

    it.each(REFUSED)("refuses %j: %s", async (args, text) => expect((await call("home temp=1", args)).log).toEqual([expect.stringContaining(`ERROR: schema_validator: ${text}`)]));
  });
}
