/**
 * The plugin API of the reference (spec: processing-engine §10-§13) as the guest gives it, proven through the component: jco
 * lowers and lifts every value here, none of our own host code runs.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeTableBatch } from "../../src/core/columns/table-batch.ts";
import { type ComponentGuest, type Failure, type Host, type RunContext, startComponentGuest } from "./component-guest.ts";
import { TUTORIAL_PLUGIN } from "../support/tutorial.ts";

const text = new TextEncoder();

/** One row: room=kitchen temp=21.5,hum=40i at 1 s. */
const HOME_BATCH = encodeTableBatch({
  databaseId: 1, tableId: 1, rowCount: 1, timeMin: 1_000_000_000n, timeMax: 1_000_000_000n,
  columns: [
    { name: "room", type: "tag", indexes: new Uint32Array([0]), offsets: new Uint32Array([0, 7]), bytes: text.encode("kitchen") },
    { name: "temp", type: "float64", values: new Float64Array([21.5]) },
    { name: "hum", type: "int64", values: new BigInt64Array([40n]) },
    { name: "time", type: "time", values: new BigInt64Array([1_000_000_000n]) },
  ],
});
const HOME_COLUMNS = ["room", "temp", "hum", "co", "time"];

class FakeHost {
  readonly logs: string[] = [];
  readonly syncWrites: unknown[] = [];
  readonly queries: unknown[] = [];
  readonly grants: unknown[] = [];
  readonly globals = new Map<string, Uint8Array>();
  answer: Uint8Array = HOME_BATCH;
  refusal: { kind: string; message: string } | undefined;
  stopping = false;

  readonly calls: Host = {
    log: (level, line) => void this.logs.push(`${level} ${line}`),
    query: (sql, parameters, database) => {
      this.refuse();
      this.queries.push([sql, parameters, database]);
      return this.answer;
    },
    writeSync: (database, lines, noSync) => {
      this.refuse();
      this.syncWrites.push([database, lines, noSync]);
    },
    globalCachePut: (key, value) => void this.globals.set(key, value.slice()),
    globalCacheGet: (key) => this.globals.get(key),
    globalCacheDelete: (key) => this.globals.delete(key),
    checkGrant: (grant, subject) => {
      this.refuse();
      this.grants.push([grant, subject]);
    },
    exceeded: (limit) => {
      throw { kind: "limit", message: `met ${limit}` };
    },
    systemMetrics: (group) => text.encode(`{"group":"${group}"}`),
    netResolve: (name, port) => {
      this.refuse();
      this.net.push(["resolve", name, port]);
      return text.encode('["192.0.2.7"]');
    },
    netOpen: (address, port) => {
      this.net.push(["open", address, port]);
      return 4_000_000_000;
    },
    netOpenTls: (settings) => {
      this.net.push(["open-tls", settings.length]);
      return 9;
    },
    netStartTls: (connection, settings) => void this.net.push(["start-tls", connection, JSON.parse(new TextDecoder().decode(settings))]),
    netSend: (connection, data, wait) => {
      this.refuse();
      this.net.push(["send", connection, new TextDecoder().decode(data), wait]);
      return data.length;
    },
    netReceive: (connection, _bytesMax, wait) => {
      this.net.push(["receive", connection, wait]);
      return this.incoming.shift();
    },
    netWait: (interests, wait) => {
      this.net.push(["wait", [...new Uint32Array(interests.slice().buffer)], wait]);
      return new Uint8Array(interests.length / 8).fill(2);
    },
    netDescribe: () => text.encode('{"local":["127.0.0.1",5000],"remote":["192.0.2.7",80],"tls":{"version":"TLSv1.3"}}'),
    netClose: (connection, direction) => void this.net.push(["close", connection, direction]),
    netFeed: (connection, data) => void this.net.push(["feed", connection, data.length]),
    netDrain: () => new Uint8Array(),
    poll: () => this.stopping,
  };
  readonly net: unknown[] = [];
  /** What the connection receives; undefined: nothing in that time. */
  incoming: (Uint8Array | undefined)[] = [];

  private refuse(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }
}

let host: FakeHost;
let component: ComponentGuest;
let revision = 0n;
/** Tests exchange the host; the component keeps this one. */
const current: Host = {
  log: (...values) => host.calls.log(...values),
  query: (...values) => host.calls.query(...values),
  writeSync: (...values) => host.calls.writeSync(...values),
  globalCachePut: (...values) => host.calls.globalCachePut(...values),
  globalCacheGet: (...values) => host.calls.globalCacheGet(...values),
  globalCacheDelete: (...values) => host.calls.globalCacheDelete(...values),
  checkGrant: (...values) => host.calls.checkGrant(...values),
  exceeded: (...values) => host.calls.exceeded(...values),
  systemMetrics: (...values) => host.calls.systemMetrics(...values),
  netResolve: (...values) => host.calls.netResolve(...values),
  netOpen: (...values) => host.calls.netOpen(...values),
  netOpenTls: (...values) => host.calls.netOpenTls(...values),
  netStartTls: (...values) => host.calls.netStartTls(...values),
  netSend: (...values) => host.calls.netSend(...values),
  netReceive: (...values) => host.calls.netReceive(...values),
  netWait: (...values) => host.calls.netWait(...values),
  netDescribe: (...values) => host.calls.netDescribe(...values),
  netClose: (...values) => host.calls.netClose(...values),
  netFeed: (...values) => host.calls.netFeed(...values),
  netDrain: (...values) => host.calls.netDrain(...values),
  poll: () => host.calls.poll(),
};

beforeAll(async () => {
  host = new FakeHost();
  component = await startComponentGuest(current);
}, 240_000);
afterAll(() => component?.dispose());
beforeEach(() => {
  host = new FakeHost();
});

function contextOf(source: string, settings: Partial<RunContext> = {}): RunContext {
  revision += 1n;
  return { plugin: { fileName: "plugin.py", source, module: "plugin", revision }, sparseRows: false, ...settings };
}

const indented = (code: string): string => code.trim().split("\n").map((line) => `    ${line}\n`).join("");

/** Runs statements in a scheduled call, where `l` is influxdb3_local; gives the buffered writes. */
const runCode = (code: string) =>
  component.guest.processScheduledCall(contextOf(`def process_scheduled_call(l, call_time, args=None):\n${indented(code)}`), 0n);

/** What one expression evaluates to, as Python's repr, or how it fails. */
function evaluate(expression: string): string {
  const report = 'l.info(type(problem).__name__ + ": " + str(problem))';
  runCode(`try:\n    l.info(repr(${expression}))\nexcept BaseException as problem:\n    ${report}`);
  return (host.logs.at(-1) ?? "").slice("info ".length);
}

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (problem) {
    return (problem as { payload: Failure }).payload;
  }
  throw new Error("the run did not fail");
}

const respond = (expression: string) => {
  const source = `def process_request(l, query, headers, body, args=None):\n    return ${expression}\n`;
  const [response] = component.guest.processRequest(contextOf(source), { query: [], headers: [], body: new Uint8Array() });
  const headers = response.headers.map(({ name, value }) => `${name}: ${value}`);
  return { status: response.status, headers, body: Buffer.from(response.body).toString() };
};

describe("process_writes", () => {
  test("runs the tutorial", () => {
    const tables = [{ tableName: "home", columns: HOME_COLUMNS, batches: [HOME_BATCH, HOME_BATCH] }];
    const writes = component.guest.processWrites(contextOf(TUTORIAL_PLUGIN), tables);
    expect(host.logs).toEqual(["info Processing 2 rows from home"]);
    expect(writes).toEqual([{ database: undefined, lines: "processed_data,source_table=home row_count=2i" }]);
  });

  test("gives every column of the table in order, absent ones as None, or leaves them out", () => {
    const source = "def process_writes(l, batches, args):\n    l.info(batches, args)\n";
    const tables = [{ tableName: "home", columns: HOME_COLUMNS, batches: [HOME_BATCH] }];
    component.guest.processWrites(contextOf(source, { arguments: [{ name: "a", value: "1" }] }), tables);
    component.guest.processWrites(contextOf(source, { sparseRows: true }), tables);
    expect(host.logs).toEqual([
      "info [{'table_name': 'home', 'rows': [{'room': 'kitchen', 'temp': 21.5, 'hum': 40, 'co': None, 'time': 1000000000}]}] {'a': '1'}",
      "info [{'table_name': 'home', 'rows': [{'room': 'kitchen', 'temp': 21.5, 'hum': 40, 'time': 1000000000}]}] None",
    ]);
  });

  test("refuses damaged batches with ValueError", () => {
    const damaged = HOME_BATCH.slice();
    damaged[9] = 255;
    const tables = [{ tableName: "t", columns: HOME_COLUMNS, batches: [damaged] }];
    const failure = failureOf(() => component.guest.processWrites(contextOf(TUTORIAL_PLUGIN), tables));
    expect(failure.typeName).toBe("ValueError");
    expect(failure.message).toContain("table batch is damaged");
  });
});

describe("failures", () => {
  test("carry the type, the message and a traceback with the plugin's lines only", () => {
    const failure = failureOf(() => runCode('l.write(LineBuilder("lost").int64_field("a", 1))\nl.cache.nothing'));
    const message = "'PyCache' object has no attribute 'nothing'";
    expect(failure).toMatchObject({ typeName: "AttributeError", message, inEntryPoint: true, outOfMemory: false });
    expect(failure.traceback).toBe(
      'Traceback (most recent call last):\n  File "plugin.py", line 3, in process_scheduled_call\n    l.cache.nothing\n' +
        "AttributeError: 'PyCache' object has no attribute 'nothing'\n",
    );
  });

  test("discard buffered writes", () => {
    failureOf(() => runCode('l.write(LineBuilder("lost").int64_field("a", 1))\nraise ValueError'));
    expect(runCode("pass")).toEqual([]);
  });

  test.each([
    ["processWrites", "process_writes", "(influxdb3_local, table_batches, args=None)"],
    ["processScheduledCall", "process_scheduled_call", "(influxdb3_local, call_time, args=None)"],
    [
      "processRequest",
      "process_request",
      "(influxdb3_local, query_parameters, request_headers, request_body, args=None) -> Tuple[str, Optional[Dict[str, str]]]",
    ],
  ] as const)("name a missing function: %s", (entry, name, signature) => {
    const message = `the ${name} function is not present in the plugin. Should be defined as: ${name}${signature}`;
    const { guest } = component;
    const calls = {
      processWrites: () => guest.processWrites(contextOf("x = 1"), []),
      processScheduledCall: () => guest.processScheduledCall(contextOf("x = 1"), 0n),
      processRequest: () => guest.processRequest(contextOf("x = 1"), { query: [], headers: [], body: new Uint8Array() }),
    };
    expect(failureOf(calls[entry])).toMatchObject({ typeName: "", message, inEntryPoint: false });
  });

  test("of loading are told from those of the function", () => {
    const failure = failureOf(() => component.guest.processScheduledCall(contextOf("def f(:"), 0n));
    expect(failure).toMatchObject({ typeName: "SyntaxError", message: "invalid syntax (plugin.py, line 1)", inEntryPoint: false });
  });

  test("report SystemExit and MemoryError", () => {
    expect(failureOf(() => runCode("import sys\nsys.exit(3)"))).toMatchObject({ typeName: "SystemExit", message: "3" });
    expect(failureOf(() => runCode("raise MemoryError"))).toMatchObject({ typeName: "MemoryError", outOfMemory: true });
  });

  test("an interruption passes `except Exception` and comes again when it is swallowed", () => {
    host.stopping = true;
    const swallow = "        swallowed += 1\n        if swallowed == 3: raise";
    const code = `swallowed = 0\nwhile True:\n    try:\n        while True: pass\n    except BaseException:\n${swallow}`;
    expect(failureOf(() => runCode(code))).toMatchObject({ typeName: "PluginInterrupted", interrupted: true });
    const plain = "while True:\n    try:\n        pass\n    except Exception: pass";
    expect(failureOf(() => runCode(plain))).toMatchObject({ interrupted: true });
  });
});

describe("influxdb3_local", () => {
  test("has nine attributes that cannot be assigned", () => {
    expect(evaluate("[name for name in dir(l) if not name.startswith('_')]")).toBe(
      "['cache', 'error', 'info', 'query', 'warn', 'write', 'write_sync', 'write_sync_to_db', 'write_to_db']",
    );
    expect(evaluate("setattr(l, 'info', 1)")).toMatch(/^AttributeError: /);
  });

  test("logs its arguments joined by a space", () => {
    runCode('l.info("a", 1, None)\nl.warn()\nl.error([1])');
    expect(host.logs).toEqual(["info a 1 None", "warn ", "error [1]"]);
  });

  test("queries", () => {
    const rows = evaluate('l.query("SELECT $a", {"a": "b"}, "other")');
    expect(rows).toBe("[{'room': 'kitchen', 'temp': 21.5, 'hum': 40, 'time': 1000000000}]");
    expect(host.queries).toEqual([["SELECT $a", [{ name: "a", value: "b" }], "other"]]);
    expect(evaluate('l.query("SELECT 1", {"a": b"1"})')).toBe("TypeError: argument 'args': 'bytes' object is not an instance of 'str'");
  });

  test.each([
    ["query-error", "QueryError"], ["write-error", "Exception"], ["type-error", "TypeError"],
    ["value-error", "ValueError"], ["denied", "PermissionError"], ["limit", "ResourceLimitError"],
    ["interrupted", "KeyboardInterrupt"], ["internal", "RuntimeError"],
  ])("a refusal of kind %s raises %s", (kind, exception) => {
    host.refusal = { kind, message: "error: the text" };
    expect(evaluate('l.query("SELECT 1")')).toBe(`${exception}: error: the text`);
  });

  test("writes at the end or at once", () => {
    const line = 'LineBuilder("m").int64_field("a", 1)';
    const buffered = `l.write(${line})\nl.write_to_db("other", ${line})\nl.write(${line})`;
    const atOnce = `l.write_sync(${line}, True)\nl.write_sync_to_db("other", ${line}, no_sync=False)`;
    expect(runCode(`${buffered}\n${atOnce}`)).toEqual([
      { database: undefined, lines: "m a=1i\nm a=1i" },
      { database: "other", lines: "m a=1i" },
    ]);
    expect(host.syncWrites).toEqual([[undefined, "m a=1i", true], ["other", "m a=1i", false]]);
    expect(evaluate(`l.write_sync(${line})`)).toMatch(/^TypeError: .*missing 1 required positional argument: 'no_sync'$/);
    expect(evaluate("l.write(1)")).toBe("AttributeError: 'int' object has no attribute 'build'");
  });

  test("call_time is a naive UTC datetime", () => {
    const source = "def process_scheduled_call(l, call_time, args=None):\n    l.info(call_time, call_time.tzinfo)\n";
    component.guest.processScheduledCall(contextOf(source), 1_700_000_000n);
    expect(host.logs).toEqual(["info 2023-11-14 22:13:20 None"]);
  });
});

describe("LineBuilder", () => {
  test.each([
    [
      String.raw`LineBuilder("m,x").tag("a",None).tag("b","x y=,\\").bool_field("f\\k",0).time_ns(5)`,
      String.raw`m\,x,a=None,b=x\ y\=\,\\ f\\k=f 5`,
    ],
    ['LineBuilder("m").int64_field("i", True).uint64_field("u", 3)', "m i=Truei,u=3u"],
    ['LineBuilder("m").float64_field("a", 2.0).float64_field("b", 1e-5)', "m a=2.0,b=1e-05"],
    ['LineBuilder("m").float64_field("c", float("nan")).float64_field("d", -0.0)', "m c=nan,d=0.0"],
    [String.raw`LineBuilder("m").string_field("s", "a\"b\\c")`, String.raw`m s="a\"b\\c"`],
    ['LineBuilder("m").tag("t","1").int64_field("a",1).tag("t","2")', "m,t=2 a=1i"],
  ])("%s", (expression, line) => {
    runCode(`l.info(${expression}.build())`);
    expect(host.logs).toEqual([`info ${line}`]);
  });

  test.each([
    ['LineBuilder("m x")', "InvalidMeasurementError: Measurement name cannot contain spaces"],
    ['LineBuilder("m").tag("", 1)', "InvalidKeyError: tag key cannot be empty"],
    ['LineBuilder("m").int64_field("a b", 1)', "InvalidKeyError: field key 'a b' cannot contain spaces"],
    ['LineBuilder("m").tag("a,b", 1)', "InvalidKeyError: tag key 'a,b' cannot contain commas"],
    ['LineBuilder("m").tag("a=b", 1)', "InvalidKeyError: tag key 'a=b' cannot contain equals signs"],
    ['LineBuilder("m").uint64_field("u", -1)', "ValueError: uint64 field 'u' cannot be negative"],
    ['LineBuilder("m").tag("a", 1).build()', "InvalidLineError: At least one field is required: m,a=1"],
  ])("%s fails", (expression, failure) => {
    expect(evaluate(expression)).toBe(failure);
  });
});

describe("cache", () => {
  test("keeps objects by reference between runs until it is cleared", () => {
    runCode('l.cache.put("list", [])\nl.cache.put("gone", 1, ttl=0)');
    runCode('l.cache.get("list").append(1)');
    expect(evaluate('(l.cache.get("list"), l.cache.get("gone", "default"), l.cache.delete("none"))')).toBe("([1], 'default', False)");
    expect(component.guest.cacheSize()).toBe(1);
    component.guest.cacheClear();
    expect(component.guest.cacheSize()).toBe(0);
    expect(evaluate('l.cache.put("a", 1, ttl=-1)')).toMatch(/^ValueError: /);
  });

  test("copies plain data into the global part and refuses anything else", () => {
    const items = '[1, -2**70, 1.5, None, True, "é", b"x", (1,), {2}]';
    const value = `{"a": ${items}, ("k",): __import__("decimal").Decimal("1.10"), "t": call_time}`;
    const answers = 'l.cache.get("v", use_global=True) == value, l.cache.delete("v", True), l.cache.get("v", 7, True)';
    runCode(`value = ${value}\nl.cache.put("v", value, use_global=True)\nl.info(${answers})`);
    expect(host.logs).toEqual(["info True True 7"]);
    expect(evaluate('l.cache.put("f", len, use_global=True)')).toMatch(/^TypeError: 'builtin_function_or_method' object/);
  });

  test("damaged bytes of the global part give ValueError", () => {
    const deep = Array.from({ length: 500 }, () => [0x6c, 1, 0, 0, 0]).flat();
    for (const bytes of [[], [0x78], [0x6c, 255, 255, 255, 255], [0x4e, 0x4e], deep, [0x6d, 1, 0, 0, 0, 0x78]]) {
      host.globals.set("k", Uint8Array.from(bytes));
      expect(evaluate('l.cache.get("k", use_global=True)')).toMatch(/^ValueError: /);
    }
  });
});

describe("process_request", () => {
  const html = ["Content-Type: text/html"];
  const json = ["Content-Type: application/json"];
  test.each([
    ['"é"', 200, html, "é"],
    ['{"a": [1]}', 200, json, '{"a": [1]}'],
    ['[float("nan"), "é"]', 200, json, '[NaN, "\\u00e9"]'],
    ['({"a": 1}, 404)', 404, json, '{"a": 1}'],
    ['("x", {"Content-Type": "text/css", "X": "y"})', 200, ["Content-Type: text/css", "X: y"], "x"],
    ['("x", 201, {"content-type": "a/b"})', 201, ["Content-Type: text/html", "content-type: a/b"], "x"],
    ['("x", True)', 500, html, "x"],
    ['("x", 70000)', 500, html, "x"],
    ['("x", "ignored")', 200, html, "x"],
    ["(5,)", 200, ["Content-Type: text/plain"], "5"],
    ['(part for part in ["a", b"b", 3])', 200, html, "ab"],
    ["()", 200, html, ""],
    ['b"bytes"', 200, ["Content-Type: application/octet-stream"], "bytes"],
    ["None", 500, [], '{"error":"Unsupported return type from Python function"}'],
  ])("%s", (expression, status, headers, body) => {
    expect(respond(expression)).toEqual({ status, headers, body });
  });

  test("gives the function its arguments", () => {
    const source = "def process_request(l, query, headers, body, args=None):\n    l.info(query, headers, body, args)\n    return []\n";
    const request = { query: [{ name: "q", value: "1" }], headers: [{ name: "host", value: "h" }], body: text.encode("b") };
    component.guest.processRequest(contextOf(source), request);
    expect(host.logs).toEqual(["info {'q': '1'} {'host': 'h'} b'b' None"]);
  });

  test("refuses headers that are not text", () => {
    expect(failureOf(() => respond('("x", {"a": 1})'))).toMatchObject({ typeName: "TypeError" });
    expect(failureOf(() => respond('("x", 200, 3)'))).toMatchObject({ typeName: "", message: "expected a dictionary in header item" });
  });
});

test("the standard library's usual modules can be imported", () => {
  const names =
    "asyncio concurrent.futures json tomllib uuid urllib.request http.client decimal zoneinfo hashlib bz2 lzma zlib socket " +
    "select logging statistics csv xml.etree.ElementTree email pickle difflib threading queue tempfile";
  runCode(`import importlib\nfor name in "${names}".split(): importlib.import_module(name)`);
  const summer = '__import__("datetime").datetime(2026, 7, 1)';
  expect(evaluate(`str(__import__("zoneinfo").ZoneInfo("Europe/Berlin").utcoffset(${summer}))`)).toBe("'2:00:00'");
});

describe("sockets", () => {
  const connect = 'import socket\ns = socket.create_connection(("example.org", 80), timeout=3)\n';

  test("connect to what the server resolved, and wait as long as they were told", () => {
    runCode(`${connect}l.info(s.getpeername(), s.getsockname())\ns.settimeout(None)\ns.sendall(b"hello")\ns.close()`);
    expect(host.logs).toEqual(["info ('192.0.2.7', 80) ('127.0.0.1', 5000)"]);
    expect(host.net).toEqual([
      ["resolve", "example.org", 80], ["open", "192.0.2.7", 80], ["wait", [4_000_000_000, 2], 3],
      ["send", 4_000_000_000, "hello", undefined], ["close", 4_000_000_000, "all"],
    ]);
  });

  test("keep what came beyond what was asked for, tell the end, and fail in time", () => {
    host.incoming = [text.encode("line one\nline two\n"), text.encode("x"), new Uint8Array(), undefined, undefined];
    runCode(`${connect}l.info(s.recv(4, socket.MSG_PEEK), s.recv(4))\nl.info(list(s.makefile("r")))`);
    expect(host.logs).toEqual(["info b'line' b'line'", "info [' one\\n', 'line two\\n', 'x']"]);
    host.incoming = [];
    runCode(`${connect}try:\n    s.recv(1)\nexcept TimeoutError as problem:\n    l.info(str(problem))\ns.setblocking(False)\ntry:\n    s.recv(1)\nexcept BlockingIOError as problem:\n    l.info("blocking")`);
    expect(host.logs.slice(2)).toEqual(["info timed out", "info blocking"]);
  });

  test.each([
    ["denied", "PermissionError: no"], ["limit", "ResourceLimitError: no"], ["network-error", "OSError: no", "EIO no"],
    ["network-error", "gaierror: [Errno -2] Name or service not known", "EAI_NONAME Name or service not known"],
    ["network-error", "ConnectionRefusedError: [Errno 14] Connection refused", "ECONNREFUSED Connection refused"],
    ["network-error", "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: expired (_ssl.c)", "CERTIFICATE_VERIFY_FAILED certificate verify failed: expired"],
  ])("a refusal of kind %s is %s", (kind, expected, message = "no") => {
    host.refusal = { kind, message };
    const found = evaluate('(__import__("ssl"), __import__("socket").create_connection(("example.org", 80)))');
    expect(found.replace("[Errno 29] ", "")).toBe(expected);
  });

  test("begin TLS with the settings of the context", () => {
    runCode(`${connect}import ssl\nt = ssl.create_default_context().wrap_socket(s, server_hostname="example.org")\nl.info(t.version())`);
    expect(host.logs).toEqual(["info TLSv1.3"]);
    expect(host.net.find((call) => (call as unknown[])[0] === "start-tls")).toEqual([
      "start-tls", 4_000_000_000,
      { verify: true, checkName: true, defaultTrust: true, versionMin: "TLSv1.2", versionMax: "TLSv1.3", alpn: [], serverName: "example.org" },
    ]);
  });

  test("trust what the server trusts where a package brings the public authorities along", () => {
    const bundle = "/venv/lib/python3.13/site-packages/certifi/cacert.pem";
    runCode(`${connect}import ssl\nssl.create_default_context(cafile="${bundle}").wrap_socket(s, server_hostname="example.org")`);
    const settings = (host.net.find((call) => (call as unknown[])[0] === "start-tls") as unknown[])[2];
    expect(settings).toMatchObject({ verify: true, defaultTrust: true });
    expect(settings).not.toHaveProperty("trust");
  });

  test.each([
    ["socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", /^OSError: .*TCP connections only/],
    ['socket.create_server(("127.0.0.1", 8000))', /^PermissionError: .*cannot choose its own address/],
    ["socket.socket().listen()", /^PermissionError: .*cannot listen/],
    ["[s.recv(9) for s in (lambda p: (p[0].sendall(b'x'), p)[1])(socket.socketpair())[1:]]", /^\[b'x'\]$/],
    ['__import__("select").select([], [], [], 0)', /^\(\[\], \[\], \[\]\)$/],
    ["socket.socket().recv(1)", /^OSError: .*not connected/],
  ])("%s", (expression, expected) => {
    runCode("import socket, builtins\nbuiltins.socket = socket");
    expect(evaluate(expression)).toMatch(expected);
  });
});
