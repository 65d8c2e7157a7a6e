/** `influxdb3_local` itself (spec: processing-engine §11): attributes, logging and what each call refuses. */
import { describe, expect, it } from "vitest";
import { createTrigger, evaluate, handler, raised, request, store } from "./harness.ts";

async function logged(body: string): Promise<string[]> {
  const trigger = await createTrigger(await store(handler(`${body}\nreturn ""`)), "request");
  const answer = await trigger.get();
  expect([answer.status, answer.body]).toEqual([200, ""]);
  const said = await trigger.said();
  await trigger.remove();
  return said;
}

const LOGGING: readonly (readonly [title: string, body: string, lines: readonly string[]])[] = [
  ["info, warn and error have their levels", 'influxdb3_local.info("a")\ninfluxdb3_local.warn("b")\ninfluxdb3_local.error("c")', ["INFO a", "WARN b", "ERROR c"]],
  ["arguments are joined by one blank", 'influxdb3_local.info("a", 1, None, 2.5, [1])', ["INFO a 1 None 2.5 [1]"]],
  ["no arguments make an empty line", "influxdb3_local.info()", ["INFO "]],
  ["nothing is formatted", 'influxdb3_local.info("%s {}", "x")', ["INFO %s {} x"]],
  ["str() of an object is used", "class A:\n    def __str__(self): return 'self'\ninfluxdb3_local.warn(A())", ["WARN self"]],
  ["text beyond ASCII", 'influxdb3_local.info("Grüße 🌍")', ["INFO Grüße 🌍"]],
  ["a text of several lines stays one row", 'influxdb3_local.info("a\\nb")', ["INFO a\nb"]],
  ["a failing __str__ raises in the plugin and logs nothing", "class A:\n    def __str__(self): raise KeyError('k')\ntry:\n    influxdb3_local.info(A())\nexcept KeyError:\n    influxdb3_local.info('caught')", ["INFO caught"]],
  ["the order is kept", "for n in range(5): influxdb3_local.info(n)", ["INFO 0", "INFO 1", "INFO 2", "INFO 3", "INFO 4"]],
];

const REFUSED: readonly (readonly [title: string, statements: string, error: string | RegExp])[] = [
  ["info takes no keywords", 'influxdb3_local.info("a", end="")', /^TypeError: .*keyword/],
  ["query: the text must be str", "influxdb3_local.query(1)", "TypeError: argument 'query': 'int' object is not an instance of 'str'"],
  ["query: args must be a dict", 'influxdb3_local.query("SELECT 1", [1])', "TypeError: argument 'args': 'list' object is not an instance of 'dict'"],
  ["query: values of args must be str (§11.1), or numbers (§19)", 'influxdb3_local.query("SELECT $a", {"a": [1]})', "TypeError: argument 'args': 'list' object is not an instance of 'str'"],
  ["query: values of args must not be None (§11.1)", 'influxdb3_local.query("SELECT $a", {"a": None})', "TypeError: argument 'args': 'NoneType' object is not an instance of 'str'"],
  ["query: keys of args must be str (§11.1)", 'influxdb3_local.query("SELECT 1", {1: "a"})', "TypeError: argument 'args': 'int' object is not an instance of 'str'"],
  ["query: database must be str", 'influxdb3_local.query("SELECT 1", None, 5)', "TypeError: argument 'database': 'int' object is not an instance of 'str'"],
  ["query: a text is needed", "influxdb3_local.query()", /^TypeError: .*query/],
  ["query: a broken text is a QueryError with database and text", 'influxdb3_local.query("SELEC 1")', /^QueryError: error: .* executing query on conformance: SELEC 1$/s],
  ["query: an unknown table is a QueryError", 'influxdb3_local.query("SELECT * FROM missing")', /^QueryError: error: .*missing.* executing query on conformance: SELECT \* FROM missing$/s],
  ["query: an unknown database is a QueryError", 'influxdb3_local.query("SELECT 1", database="nowhere")', /^QueryError: .*nowhere/],
  ["query: no statement but a query", 'influxdb3_local.query("DROP TABLE x")', /^QueryError: error: .* executing query on conformance: DROP TABLE x$/s],
  ["write: needs build()", 'influxdb3_local.write("m f=1")', "AttributeError: 'str' object has no attribute 'build'"],
  ["write: build() must give str", "class L:\n    def build(self): return 5\ninfluxdb3_local.write(L())", "TypeError: 'int' object is not an instance of 'str'"],
  ["write: build()'s own error comes through", 'influxdb3_local.write(LineBuilder("m"))', "InvalidLineError: At least one field is required: m"],
  ["write_to_db: the name must be str", 'influxdb3_local.write_to_db(1, LineBuilder("m").int64_field("f", 1))', "TypeError: argument 'db': 'int' object is not an instance of 'str'"],
  ["write_to_db: _internal is refused (3.11)", 'influxdb3_local.write_to_db("_internal", LineBuilder("m").int64_field("f", 1))', /_internal/],
  ["write_sync: no_sync has no default", 'influxdb3_local.write_sync(LineBuilder("m").int64_field("f", 1))', /^TypeError: .*no_sync/],
  ["write_sync: no_sync must be a bool", 'influxdb3_local.write_sync(LineBuilder("m").int64_field("f", 1), 1)', "TypeError: argument 'no_sync': 'int' object is not an instance of 'bool'"],
  ["write_sync: needs build()", 'influxdb3_local.write_sync("m f=1", True)', "AttributeError: 'str' object has no attribute 'build'"],
  ["write_sync: a broken line raises Exception with the database", 'class L:\n    def build(self): return "m"\ninfluxdb3_local.write_sync(L(), True)', /^Exception: error writing line protocol to conformance: .*/s],
  ["write_sync: the words of a parse error", 'class L:\n    def build(self): return "m"\ninfluxdb3_local.write_sync(L(), False)', /line protocol parse failed/],
  ["write_sync_to_db: a name that no database may have", 'influxdb3_local.write_sync_to_db("a b", LineBuilder("m").int64_field("f", 1), True)', /^Exception: error writing line protocol to a b: .*/s],
  ["write_sync_to_db: _internal is refused (3.11)", 'influxdb3_local.write_sync_to_db("_internal", LineBuilder("m").int64_field("f", 1), True)', /^Exception: .*_internal/],
  ["write_sync: 1.5 in an int64 field is refused (§12)", 'influxdb3_local.write_sync(LineBuilder("m").int64_field("f", 1.5), True)', /^Exception: error writing line protocol to conformance: /],
];

export function localApiCases(): void {
  describe("§11, influxdb3_local", () => {
    it("has exactly nine attributes", async () => {
      expect(await evaluate('json.dumps(sorted(n for n in dir(influxdb3_local) if not n.startswith("_")))', "import json")).toEqual(["cache", "error", "info", "query", "warn", "write", "write_sync", "write_sync_to_db", "write_to_db"]);
    });
    it.each(["info = None", "new = 1", "cache = {}"])("attributes cannot be assigned: %s", async (assignment) => {
      expect(await raised(`influxdb3_local.${assignment}`)).toMatch(/^AttributeError: /);
    });
    it("attributes cannot be deleted", async () => expect(await raised("del influxdb3_local.info")).toMatch(/^AttributeError: /));
    it("works when it was kept from an earlier run", async () => {
      const trigger = await createTrigger(await store(handler('kept = influxdb3_local.cache.get("api")\ninfluxdb3_local.cache.put("api", influxdb3_local)\nif kept is not None:\n    kept.info("kept")\nreturn ""')), "request");
      await trigger.get();
      await trigger.get();
      expect(await trigger.said()).toEqual(["INFO kept"]);
      await trigger.remove();
    });
    it("its methods can be kept and called", async () => expect(await logged('say = influxdb3_local.info\nsay("x")')).toEqual(["INFO x"]));
    it("query errors are recognised by the name of their class (3.11)", async () => {
      const body = 'try:\n    influxdb3_local.query("x")\nexcept Exception as e:\n    return f"{type(e).__name__} {type(e).__module__} {isinstance(e, ValueError)}"';
      expect((await request(body)).body).toBe("QueryError influxdb3_py_api False");
    });
    it("the plugin goes on after an error that it caught", async () => {
      expect((await request('try:\n    influxdb3_local.query("x")\nexcept Exception:\n    pass\nreturn str(influxdb3_local.query("SELECT 1 AS n")[0]["n"])')).body).toBe("1");
    });
    it("positional and keyword forms of query", async () => {
      const body = 'a = influxdb3_local.query("SELECT $x AS v", {"x": "1"}, "conformance")\nb = influxdb3_local.query(query="SELECT $x AS v", args={"x": "1"}, database="conformance")\nreturn str(a == b)';
      expect((await request(body)).body).toBe("True");
    });
    it("positional and keyword forms of write_sync and write_sync_to_db", async () => {
      const line = 'LineBuilder("forms").int64_field("f", 1)';
      const body = `influxdb3_local.write_sync(line=${line}, no_sync=True)\ninfluxdb3_local.write_sync_to_db("conformance", ${line}, no_sync=False)\ninfluxdb3_local.write_sync_to_db(db="conformance", line=${line}, no_sync=True)\nreturn "ok"`;
      expect((await request(body)).body).toBe("ok");
    });
    it("every call returns None", async () => {
      const line = 'LineBuilder("nones").int64_field("f", 1)';
      expect((await request(`return str([influxdb3_local.info("a"), influxdb3_local.write(${line}), influxdb3_local.write_to_db("conformance", ${line}), influxdb3_local.write_sync(${line}, True)])`)).body).toBe("[None, None, None, None]");
    });
  });

  describe("§11, logging", () => {
    it.each(LOGGING)("%s", async (_title, body, lines) => expect(await logged(body)).toEqual(lines));
  });

  describe("§11, what calls refuse", () => {
    it.each(REFUSED)("%s", async (_title, statements, error) => {
      const text = await raised(statements);
      if (typeof error === "string") expect(text).toBe(error);
      else expect(text).toMatch(error);
    });
  });
}
