/** What `process_request` may return (spec: processing-engine §10.4): status, content type and body of the answer. */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, request, store } from "./harness.ts";

type Expected = readonly [status: number, type: string | null, body: string];
type Case = readonly [title: string, body: string, expected: Expected];

const HTML = "text/html";
const JSON_TYPE = "application/json";
const TEXT = "text/plain";
const UNSUPPORTED = '{"error":"Unsupported return type from Python function"}';

const FLASK = (status: string, headers: string, data: string): string => `
class Response:
    status_code = ${status}
    headers = ${headers}
    def __flask_response__(self):
        return True
    def get_data(self):
        return ${data}
return Response()`;

const RULE_1: readonly Case[] = [
  ["status, headers and text of an object that says True", FLASK("418", '{"Content-Type": "text/x-tea"}', '"short and stout"'), [418, "text/x-tea", "short and stout"]],
  ["an object without headers has none", FLASK("201", "{}", '"x"'), [201, null, "x"]],
  ["only exactly True counts: 1 does not", FLASK("418", "{}", '"x"').replace("return True", "return 1"), [500, null, UNSUPPORTED]],
  ["a status that does not fit 16 bits fails", FLASK("70000", "{}", '"x"'), [500, null, '{"error":"OverflowError: out of range integral type conversion attempted"}']],
  ["headers must be a dict", FLASK("200", "[('a', 'b')]", '"x"'), [500, null, `{"error":"TypeError: 'list' object is not an instance of 'dict'"}`]],
  ["the text must be a str, not a number", FLASK("200", "{}", "1"), [500, null, `{"error":"TypeError: 'int' object is not an instance of 'str'"}`]],
  ["a Werkzeug response is not iterable and has no such method: rule 6", "class Response:\n    status_code = 200\n    headers = {}\n    def get_data(self): return b'x'\nreturn Response()", [500, null, UNSUPPORTED]],
];

const RULE_2: readonly Case[] = [
  ["(str,)", 'return ("a",)', [200, HTML, "a"]],
  ["(str, int)", 'return "made", 201', [201, HTML, "made"]],
  ["(dict, int)", 'return {"a": 1}, 202', [202, JSON_TYPE, '{"a": 1}']],
  ["(list, int)", "return [1, 2], 203", [203, JSON_TYPE, "[1, 2]"]],
  ["(str, dict): the second is headers", 'return "[]", {"Content-Type": "application/json"}', [200, JSON_TYPE, "[]"]],
  ["(dict, dict)", 'return {}, {"X-A": "1"}', [200, JSON_TYPE, "{}"]],
  ["(str, int, dict)", 'return "<a/>", 404, {"Content-Type": "application/xml"}', [404, "application/xml", "<a/>"]],
  ["a number as first item is text/plain", "return 1.5, 200", [200, TEXT, "1.5"]],
  ["None as first item is text/plain", "return None, 200", [200, TEXT, "None"]],
  ["any object as first item is its str()", "import datetime\nreturn datetime.date(2026, 1, 2), 200", [200, TEXT, "2026-01-02"]],
  ["a second item that is neither int nor dict is ignored", 'return "a", "b"', [200, HTML, "a"]],
  ["a None as second item is ignored", 'return "a", None', [200, HTML, "a"]],
  ["a float as second item is ignored", 'return "a", 404.0', [200, HTML, "a"]],
  ["the third item must be a dict", 'return "a", 200, "x"', [500, null, '{"error":"expected a dictionary in header item"}']],
  ["True as second item is the status 1, which is none: 500", 'return "a", True', [500, HTML, "a"]],
  ["status 0 is none: 500 with the body unchanged", 'return "a", 0', [500, HTML, "a"]],
  ["status 99 is none: 500 with the body unchanged", 'return "a", 99', [500, HTML, "a"]],
  ["status 1000 is none: 500 with the body unchanged", 'return "a", 1000', [500, HTML, "a"]],
  ["a status outside of 16 bits: 500", 'return "a", 65536', [500, HTML, "a"]],
  ["a negative status: 500", 'return "a", -1', [500, HTML, "a"]],
  ["status 503", 'return "later", 503', [503, HTML, "later"]],
  ["a status without a body, 204, has none", 'return "", 204', [204, HTML, ""]],
  ["headers and headers: the third is merged over the second", 'return "a", {"Content-Type": "text/x-1"}, {"Content-Type": "text/x-2"}', [200, "text/x-2", "a"]],
  ["header values must be str", 'return "a", {"X-A": 1}', [500, null, `{"error":"TypeError: 'int' object is not an instance of 'str'"}`]],
  ["a named tuple is a tuple", 'import collections\nreturn collections.namedtuple("R", "body status")("a", 201)', [201, HTML, "a"]],
];

const RULES_3_AND_4: readonly Case[] = [
  ["str", 'return "<b>hi</b>"', [200, HTML, "<b>hi</b>"]],
  ["an empty str", 'return ""', [200, HTML, ""]],
  ["str beyond ASCII", 'return "Grüße, 世界 🌍"', [200, HTML, "Grüße, 世界 🌍"]],
  ["a subclass of str", "class S(str): pass\nreturn S('s')", [200, HTML, "s"]],
  ["dict with json.dumps' separators", 'return {"a": [1, 2.5, None, True]}', [200, JSON_TYPE, '{"a": [1, 2.5, null, true]}']],
  ["list", 'return [{"a": 1}, "b"]', [200, JSON_TYPE, '[{"a": 1}, "b"]']],
  ["ASCII escapes", 'return {"k": "é"}', [200, JSON_TYPE, '{"k": "\\u00e9"}']],
  ["NaN is allowed", 'return [float("nan"), float("inf")]', [200, JSON_TYPE, "[NaN, Infinity]"]],
  ["a subclass of dict", "import collections\nreturn collections.OrderedDict(b=1, a=2)", [200, JSON_TYPE, '{"b": 1, "a": 2}']],
  ["an empty dict", "return {}", [200, JSON_TYPE, "{}"]],
  ["what json cannot hold fails", "return {'a': object}", [500, null, '{"error":"TypeError: Object of type type is not JSON serializable"}']],
];

const RULE_5: readonly Case[] = [
  ["a generator is joined", 'return (part for part in ("a", "b", "c"))', [200, HTML, "abc"]],
  ["a generator function with bytes and str", "def parts():\n    yield 'a'\n    yield b'\\xc3\\xa9'\nreturn parts()", [200, HTML, "aé"]],
  ["items that are neither str nor bytes are dropped", 'return iter(["a", 1, None, "b"])', [200, HTML, "ab"]],
  ["a tuple of no items", "return ()", [200, HTML, ""]],
  ["a tuple of four items", 'return ("a", "b", "c", "d")', [200, HTML, "abcd"]],
  ["a set", 'return {"only"}', [200, HTML, "only"]],
  ["a bytearray holds numbers, which are dropped", "return bytearray(b'abc')", [200, HTML, ""]],
  ["an object with __iter__", "class I:\n    def __iter__(self): return iter(['x', 'y'])\nreturn I()", [200, HTML, "xy"]],
  ["an endless generator ends at the limit of a response", "import itertools\nreturn itertools.repeat('x' * 1_000_000)", [500, null, '{"error":"ResourceLimitError: the body of a response has at most 10485760 bytes"}']],
];

const RULE_6: readonly Case[] = [
  ["None", "return None", [500, null, UNSUPPORTED]],
  ["no return statement", "pass", [500, null, UNSUPPORTED]],
  ["a number", "return 42", [500, null, UNSUPPORTED]],
  ["a bool", "return True", [500, null, UNSUPPORTED]],
  ["an object", "return object()", [500, null, UNSUPPORTED]],
];

const MENDED: readonly Case[] = [
  ["bytes are the body (§19 no. 15: empty there)", "return b'abc'", [200, "application/octet-stream", "abc"]],
  ["bytes as first item of a tuple", 'return b"abc", 201, {"Content-Type": "image/x"}', [201, "image/x", "abc"]],
];

function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases)("%s", async (_title, body, [status, type, text]) => {
      const answer = await request(body);
      // Without a content type of the plugin's an error carries ours.
      expect([answer.status, type === null ? null : answer.type, answer.body]).toEqual([status, type, expect.stringContaining(text.replace(/\}$/, ""))]);
      if (type !== null) expect(answer.body).toBe(text);
    });
  });
}

export function responseCases(): void {
  table("§10.4 rule 1, Flask-like objects", RULE_1);
  table("§10.4 rule 2, tuples", RULE_2);
  table("§10.4 rules 3 and 4, str, dict and list", RULES_3_AND_4);
  table("§10.4 rule 5, what can be iterated", RULE_5);
  table("§10.4 rule 6, everything else", RULE_6);
  table("§19, mended responses", MENDED);

  describe("§10.4, details", () => {
    it("bytes arrive as they are", async () => {
      const answer = await request("return bytes(range(256))");
      expect([...answer.bytes]).toEqual([...Array(256).keys()]);
    });

    it("headers are merged without regard to case: one content type (§19 no. 15: two there)", async () => {
      const answer = await request('return "[]", {"content-type": "application/json"}');
      expect(answer.type).toBe("application/json");
    });

    it("own headers arrive", async () => {
      const answer = await request('return "a", {"X-One": "1", "x-two": "2"}');
      expect([answer.headers.get("x-one"), answer.headers.get("x-two")]).toEqual(["1", "2"]);
    });

    it("a header value that HTTP cannot carry becomes empty", async () => {
      const answer = await request('return "a", {"X-Bad": "a\\nb", "X-Good": "b"}');
      expect([answer.status, answer.headers.get("x-bad"), answer.headers.get("x-good")]).toEqual([200, "", "b"]);
    });

    it("a header name that HTTP cannot carry is left out (there the request handler went down)", async () => {
      const answer = await request('return "a", {"X Bad": "1", "": "2"}');
      expect([answer.status, answer.body]).toEqual([200, "a"]);
    });

    it("an answer after an error is served by the same trigger", async () => {
      const trigger = await createTrigger(await store(handler("if query_parameters:\n    raise ValueError('once')\nreturn 'fine'")), "request");
      expect((await trigger.get("?fail=1")).status).toBe(500);
      expect((await trigger.get()).body).toBe("fine");
      await trigger.remove();
    });
  });
}
