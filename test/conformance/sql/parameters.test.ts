/** Parameters (spec: query §2.2, processing-engine §11.1). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOME, openServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer({ tables: [HOME] });
});
afterAll(() => server.close());

describe("parameters (spec: query §2.2, processing-engine §11.1)", () => {
  const row = async (sql: string, parameters: Record<string, unknown>): Promise<string> => server.run(sql, { parameters });
  test("types follow the JSON scalar", async () => {
    expect(await row("SELECT arrow_typeof($a) AS a, arrow_typeof($b) AS b, arrow_typeof($c) AS c, arrow_typeof($d) AS d, arrow_typeof($e) AS e, $f AS f", { a: 1, b: -1, c: 0.5, d: "x", e: true, f: null })).toBe(
      '{"a":"UInt64","b":"Int64","c":"Float64","d":"Utf8","e":"Boolean"}\n',
    );
  });
  test("text never becomes SQL", async () => {
    expect(await row("SELECT $x AS x", { x: "a';--\0" })).toBe('{"x":"a\';--\\u0000"}\n');
    expect(await row("SELECT count(*) AS c FROM home WHERE room = $x", { x: "Kitchen' OR '1'='1" })).toBe('{"c":0}\n');
  });
  test("string parameters compare with time and numbers", async () => {
    expect(await row("SELECT count(*) AS c FROM home WHERE time >= $t AND co >= $n", { t: "2022-01-01T19:00:00Z", n: "20" })).toBe('{"c":2}\n');
  });
  test("a missing one is named, an extra one ignored", async () => {
    await expect(row("SELECT * FROM home WHERE room = $host", { other: 1 })).rejects.toMatchObject({ code: "query.invalid", message: expect.stringContaining("No value found for placeholder with name $host") });
  });
});
