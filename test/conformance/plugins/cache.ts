/** `influxdb3_local.cache` (spec: processing-engine §13; the global part is data only, §23). */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, raised, request, store, unique, wal } from "./harness.ts";

/** Bodies of `count` requests to one trigger. */
async function again(body: string, count = 2, before = ""): Promise<string[]> {
  const trigger = await createTrigger(await store(handler(body, before)), "request");
  const bodies: string[] = [];
  for (let turn = 0; turn < count; turn += 1) bodies.push((await trigger.get()).body);
  await trigger.remove();
  return bodies;
}

const LIVE: readonly (readonly [title: string, body: string, second: string])[] = [
  ["a deque goes on growing", 'import collections\nd = influxdb3_local.cache.get("d")\nif d is None:\n    d = collections.deque(maxlen=3)\n    influxdb3_local.cache.put("d", d)\nd.append(len(d))\nreturn str(list(d))', "[0, 1]"],
  ["the same object, not a copy", 'o = influxdb3_local.cache.get("o")\nif o is None:\n    o = object()\n    influxdb3_local.cache.put("o", o)\n    influxdb3_local.cache.put("id", id(o))\nreturn str(influxdb3_local.cache.get("id") == id(o))', "True"],
  ["a lock that is held stays held", 'import threading\nlock = influxdb3_local.cache.get("lock")\nif lock is None:\n    lock = threading.Lock()\n    lock.acquire()\n    influxdb3_local.cache.put("lock", lock)\nreturn str(lock.locked())', "True"],
  ["a function", 'f = influxdb3_local.cache.get("f")\nif f is None:\n    base = 40\n    influxdb3_local.cache.put("f", lambda n: n + base)\n    return "made"\nreturn str(f(2))', "42"],
  ["a generator goes on", 'g = influxdb3_local.cache.get("g")\nif g is None:\n    g = (n for n in (1, 2, 3))\n    influxdb3_local.cache.put("g", g)\nreturn str(next(g))', "2"],
  ["a dict changed later is the changed one", 'd = influxdb3_local.cache.get("d")\nif d is None:\n    d = {}\n    influxdb3_local.cache.put("d", d)\n    d["later"] = 1\nreturn str(d)', "{'later': 1}"],
  ["an event loop of asyncio's classes of locks", 'import asyncio\nq = influxdb3_local.cache.get("q")\nif q is None:\n    q = asyncio.Lock()\n    influxdb3_local.cache.put("q", q)\nreturn type(q).__name__', "Lock"],
];

const REFUSED: readonly (readonly [statement: string, error: string | RegExp])[] = [
  ["influxdb3_local.cache.put(1, 2)", "TypeError: argument 'key': 'int' object is not an instance of 'str'"],
  ["influxdb3_local.cache.get(None)", "TypeError: argument 'key': 'NoneType' object is not an instance of 'str'"],
  ["influxdb3_local.cache.delete(1)", "TypeError: argument 'key': 'int' object is not an instance of 'str'"],
  ['influxdb3_local.cache.put("a", 1, -1)', /^ValueError: .*negative/],
  ['influxdb3_local.cache.put("a", 1, float("nan"))', /^ValueError: .*NaN/],
  ['influxdb3_local.cache.put("a", 1, 1e300)', /^ValueError: .*too big/],
  ['influxdb3_local.cache.put("a", 1, "5")', /^TypeError: /],
  ['influxdb3_local.cache.put("a", 1, None, "yes")', /^TypeError: /],
  ['influxdb3_local.cache.put("a")', /^TypeError: .*value/],
  ['influxdb3_local.cache.keys()', /^AttributeError: /],
  ['len(influxdb3_local.cache)', /^TypeError: /],
  ['influxdb3_local.cache["a"]', /^TypeError: /],
  ['influxdb3_local.cache.put("a", object(), use_global=True)', "TypeError: 'object' object is not plain data and cannot be kept in the global cache"],
  ['influxdb3_local.cache.put("a", lambda: 1, use_global=True)', "TypeError: 'function' object is not plain data and cannot be kept in the global cache"],
];

const VALUES: readonly (readonly [title: string, expression: string])[] = [
  ["None", "None"], ["bools", "[True, False]"], ["a large int", "2**200"], ["a negative int", "-5"], ["floats", "[0.5, float('inf'), -0.0]"],
  ["str", "'Grüße 🌍'"], ["bytes", "b'\\x00\\xff'"], ["nested lists and tuples", "[1, (2, [3, ()])]"], ["a dict", "{'a': {1: 2}, (1, 2): 'x'}"], ["a set", "{1, 2, 3}"],
  ["an aware datetime", "__import__('datetime').datetime(2026, 1, 2, 3, 4, 5, 6, __import__('datetime').timezone.utc)"],
  ["a naive datetime", "__import__('datetime').datetime(2026, 1, 2)"], ["a Decimal", "__import__('decimal').Decimal('1.10')"],
];

export function cacheCases(): void {
  describe("§13, the private cache keeps objects by reference", () => {
    it.each(LIVE)("%s", async (_title, body, second) => expect((await again(body))[1]).toBe(second));
    it("an instance of the plugin's own class keeps its state; its class is the older one (§24)", async () => {
      const body = 'kept = influxdb3_local.cache.get("k")\nif kept is None:\n    influxdb3_local.cache.put("k", Counter())\n    return "made"\nkept.n += 1\nreturn f"{kept.n} {isinstance(kept, Counter)}"';
      expect(await again(body, 3, "class Counter:\n    def __init__(self): self.n = 0\n")).toEqual(["made", "1 False", "2 False"]);
    });
    it("stays when a run fails", async () => {
      expect(await again('n = influxdb3_local.cache.get("n", 0)\ninfluxdb3_local.cache.put("n", n + 1)\nif n == 0: raise ValueError("once")\nreturn str(n)')).toEqual([expect.stringContaining("ValueError"), "1"]);
    });
    it("stays over a change of the file", async () => {
      const name = unique("edited_");
      const trigger = await createTrigger(await store(handler('influxdb3_local.cache.put("v", [1])\nreturn "put"'), name), "request");
      await trigger.get();
      await store(handler('return str(influxdb3_local.cache.get("v"))'), name);
      expect((await trigger.get()).body).toBe("[1]");
      await trigger.remove();
    });
    it("is not shared by two triggers of one plugin", async () => {
      const file = await store(handler('n = influxdb3_local.cache.get("n", 0) + 1\ninfluxdb3_local.cache.put("n", n)\nreturn str(n)'));
      const [first, second] = [await createTrigger(file, "request"), await createTrigger(file, "request")];
      expect([(await first.get()).body, (await first.get()).body, (await second.get()).body]).toEqual(["1", "2", "1"]);
      await Promise.all([first.remove(), second.remove()]);
    });
    it("works in WAL plugins", async () => {
      const { said, trigger } = await wal('influxdb3_local.cache.put("a", table_batches)\ninfluxdb3_local.info(influxdb3_local.cache.get("a") is table_batches)', "m f=1");
      expect(said).toEqual(["INFO True"]);
      await trigger.remove();
    });
  });

  describe("§13, calls", () => {
    const value = async (body: string): Promise<string> => (await request(body)).body;
    it("get of nothing is None", async () => expect(await value('return str(influxdb3_local.cache.get("x"))')).toBe("None"));
    it("get of nothing is the default", async () => expect(await value('return influxdb3_local.cache.get("x", "default")')).toBe("default"));
    it("a stored None is not the default", async () => expect(await value('influxdb3_local.cache.put("x", None)\nreturn str(influxdb3_local.cache.get("x", "default"))')).toBe("None"));
    it("put returns None", async () => expect(await value('return str(influxdb3_local.cache.put("x", 1))')).toBe("None"));
    it("delete says whether the key was there", async () => expect(await value('influxdb3_local.cache.put("x", 1)\nreturn str([influxdb3_local.cache.delete("x"), influxdb3_local.cache.delete("x")])')).toBe("[True, False]"));
    it("an expired key that was not swept counts as there for delete", async () => expect(await value('c = influxdb3_local.cache\nc.put("x", 1, ttl=0)\nreturn str(c.delete("x"))')).toBe("True"));
    it("a time to live of 0 is over at once", async () => expect(await value('influxdb3_local.cache.put("x", 1, ttl=0)\nreturn str(influxdb3_local.cache.get("x", "gone"))')).toBe("gone"));
    it("a time to live in fractions of seconds", async () => {
      expect(await value('import time\nc = influxdb3_local.cache\nc.put("x", 1, 0.05)\nbefore = c.get("x")\ntime.sleep(0.06)\nreturn f"{before} {c.get(\'x\')}"')).toBe("1 None");
    });
    it("overwriting replaces the time to live", async () => expect(await value('c = influxdb3_local.cache\nc.put("x", 1, ttl=0)\nc.put("x", 2)\nreturn str(c.get("x"))')).toBe("2"));
    it("overwriting takes the time to live away again", async () => expect(await value('c = influxdb3_local.cache\nc.put("x", 1)\nc.put("x", 2, 0)\nreturn str(c.get("x"))')).toBe("None"));
    it("positional and keyword forms", async () => {
      expect(await value('c = influxdb3_local.cache\nc.put("a", 1, 60.0, False)\nc.put(key="b", value=2, ttl=60, use_global=None)\nreturn str([c.get("a", None, False), c.get(key="b", default=0, use_global=False), c.delete(key="b", use_global=False)])')).toBe("[1, 2, True]");
    });
    it("any str is a key", async () => expect(await value('c = influxdb3_local.cache\nc.put("", 1)\nc.put("é 🌍", 2)\nreturn str([c.get(""), c.get("é 🌍")])')).toBe("[1, 2]"));
    it("private and global never overlap", async () => {
      const key = unique("key");
      expect(await value(`c = influxdb3_local.cache\nc.put("${key}", "global", use_global=True)\nreturn str([c.get("${key}"), c.get("${key}", use_global=True)])`)).toBe("[None, 'global']");
    });
    it.each(REFUSED)("%s", async (statement, error) => {
      const text = await raised(statement);
      if (typeof error === "string") expect(text).toBe(error);
      else expect(text).toMatch(error);
    });
  });

  describe("§13, the global cache", () => {
    it("is shared by triggers of all databases", async () => {
      const key = unique("key");
      await request(`influxdb3_local.cache.put("${key}", {"from": "one"}, use_global=True)\nreturn ""`, { database: unique("db") });
      expect((await request(`return influxdb3_local.cache.get("${key}", use_global=True)["from"]`, { database: unique("db") })).body).toBe("one");
    });
    it("gives copies (§23)", async () => {
      const key = unique("key");
      expect((await request(`c = influxdb3_local.cache\nv = [1]\nc.put("${key}", v, use_global=True)\nv.append(2)\nreturn str(c.get("${key}", use_global=True))`)).body).toBe("[1]");
    });
    it("has a time to live", async () => {
      const key = unique("key");
      expect((await request(`c = influxdb3_local.cache\nc.put("${key}", 1, 0, True)\nreturn str([c.get("${key}", "gone", True), c.delete("${key}", True)])`)).body).toMatch(/^\['gone', (True|False)\]$/);
    });
    it("delete says whether the key was there", async () => {
      const key = unique("key");
      expect((await request(`c = influxdb3_local.cache\nc.put("${key}", 1, use_global=True)\nreturn str([c.delete("${key}", True), c.delete("${key}", use_global=True), c.get("${key}", 5, True)])`)).body).toBe("[True, False, 5]");
    });
    it.each(VALUES)("keeps %s", async (_title, expression) => {
      const key = unique("key");
      expect((await request(`v = ${expression}\ninfluxdb3_local.cache.put("${key}", v, use_global=True)\ngot = influxdb3_local.cache.get("${key}", use_global=True)\nreturn f"{repr(got) == repr(v)} {type(got) is type(v)}"`)).body).toBe("True True");
    });
  });
}
