import { describe, expect, it } from "vitest";
import { createTrigger, rows, unique, type Answer } from "../../../test/conformance/plugins/harness.ts";

interface Sent {
  readonly query?: string;
  readonly type?: string;
  readonly arguments?: Record<string, string>;
}

async function send(body: string | Uint8Array, { query = "?table=home", type = "text/plain", arguments: given }: Sent = {}): Promise<{ database: string; answer: Answer }> {
  const database = unique("bundled");
  const trigger = await createTrigger("ingest/ingest.py", "request", { database, ...(given === undefined ? {} : { arguments: given }) });
  const answer = await trigger.post(body, { query, headers: { "content-type": type } });
  await trigger.remove();
  return { database, answer };
}

const REFUSED: readonly (readonly [body: string | Uint8Array, sent: Sent, text: string | object])[] = [
  ["a\n1", { query: "" }, "name a table: ?table=…"],
  ["", {}, "the body is empty"],
  [Uint8Array.of(0xff), {}, "the body is not UTF-8: "],
  ["{", {}, "the body is no JSON: "],
  ["[1]", {}, "row 1 is no object"],
  ["a,a\n1,2", {}, "the header names a column twice: a, a"],
  ["a,b\n1,2,3", {}, "line 2 has more cells than the header"],
  ['a\n"1', {}, "is no CSV"],
  ["a\n", {}, "there is nothing to write"],
  ["a\n1", { query: "?table=home&format=xml" }, "format=xml is none of csv, json, jsonl"],
  ["a\n1", { query: "?table=home&time_unit=h" }, "time_unit=h is none of s, ms, us, ns"],
  ['{"a": 1}\nx', { query: "?table=home&format=jsonl" }, "line 2 is no JSON: "],
];

const ROWS_REFUSED: readonly (readonly [body: string, query: string, row: number, text: string])[] = [
  ["time,a\n1,2\nsoon,2", "", 2, "the time 'soon' is neither a number nor like 2026-01-31T12:00:00Z"],
  ["n\n1\n1.5", "&integers=n", 2, "n: '1.5' is no whole number"],
  ["n\n9223372036854775808", "&integers=n", 1, "n: 9223372036854775808 does not fit into 64 bits"],
  ["time,a\n5,", "", 1, "the row has no field"],
  ['[{"a": 1e999}]', "", 1, "a: inf is no finite number"],
  ['[{"t": "a\\nb", "a": 1}]', "&tags=t", 1, "the tag t holds a line break"],
];

export function ingestCases(): void {
  describe("ingest", () => {
    it("takes CSV: times by their unit, tags, numbers, booleans, text, empty cells", async () => {
      const csv = '\ufefftime,room,temp,hum,ok,note,serial\r\n1700000000,kitchen,21,40,true,"a, ""b""",007\r\n1700000060,"living room",,41,false,,008\r\n';
      const { database, answer } = await send(csv, { type: "text/csv", query: "?table=home&time_unit=s&tags=room&integers=hum&texts=serial" });
      expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { table: "home", written: 2 }]);
      expect(await rows(database, "SELECT * FROM home ORDER BY time")).toEqual([
        { hum: 40, note: 'a, "b"', ok: true, room: "kitchen", serial: "007", temp: 21, time: "2023-11-14T22:13:20" },
        { hum: 41, ok: false, room: "living room", serial: "008", time: "2023-11-14T22:14:20" },
      ]);
    });

    it("takes a list of JSON objects: nested ones, lists, null, times as text", async () => {
      const json = '[{"time": "2026-01-02T03:04:05.000006+01:00", "a": {"b": 1, "c": {"d": "x"}}, "list": [1, 2], "none": null, "n": 5}]';
      const { database } = await send(json, { type: "application/json", query: "?table=home&integers=n" });
      expect(await rows(database, "SELECT * FROM home")).toEqual([{ "a.b": 1, "a.c.d": "x", list: "[1, 2]", n: 5, time: "2026-01-02T02:04:05.000006" }]);
    });

    it("takes one object and JSON lines", async () => {
      const one = await send('{"v": 1}');
      expect(JSON.parse(one.answer.body)).toEqual({ table: "home", written: 1 });
      const lines = await send('{"v": 1, "time": 1}\n\n{"v": 2, "time": 2}\n', { type: "application/x-ndjson" });
      expect(await rows(lines.database, "SELECT v FROM home ORDER BY time")).toEqual([{ v: 1 }, { v: 2 }]);
    });

    it("numbers are floats, so that 5 and 5.5 fit together", async () => {
      const { database } = await send('[{"v": 5, "time": 1}, {"v": 5.5, "time": 2}]');
      expect(await rows(database, "SELECT v FROM home ORDER BY time")).toEqual([{ v: 5 }, { v: 5.5 }]);
    });

    it("the query overrides the trigger's arguments", async () => {
      const { database } = await send("v,t\n1,a", { query: "?table=mine", arguments: { table: "theirs", tags: "t" } });
      expect(await rows(database, "SELECT t, v FROM mine")).toEqual([{ t: "a", v: 1 }]);
    });

    it.each(REFUSED)("refuses %j %j: %s", async (body, sent, text) => {
      const { answer } = await send(body, sent);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, { error: expect.stringContaining(text as string) }]);
    });

    it.each(ROWS_REFUSED)("names the row of %j %s: %i, %s", async (body, query, row, text) => {
      const { database, answer } = await send(body, { query: `?table=home${query}` });
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, { error: expect.stringContaining("nothing was written"), rows: [{ row, error: text }] }]);
      expect(await rows(database, "SHOW TABLES").then((found) => found.filter(({ table_name: name }) => name === "home"))).toEqual([]);
    });

    it("tells what the database refuses", async () => {
      const database = unique("bundled");
      const trigger = await createTrigger("ingest/ingest.py", "request", { database });
      await trigger.post("v\n1", { query: "?table=home" });
      const refused = await trigger.post("v\ntext", { query: "?table=home" });
      expect([refused.status, refused.body]).toEqual([400, expect.stringContaining("column type")]);
      expect((await trigger.said()).at(-1)).toMatch(/^ERROR ingest into home: /);
      await trigger.remove();
    });
  });
}
