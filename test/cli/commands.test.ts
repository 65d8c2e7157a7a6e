/** The commands of spec cli §4–§12 against the real HTTP app: requests, outputs, errors and exit statuses. */
import { describe, expect, it } from "vitest";
import { NO_COST, failure } from "../conformance/http/fake-services.ts";
import { influxdb3, session, type Session } from "./fake-terminal.ts";

const done = (stdout: string): object => ({ status: 0, stdout, stderr: "" });

const textOf = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

describe("issue 2, first light", () => {
  it("accepts the newcomer's lines word for word", async () => {
    const on = session();
    on.world.rows = [["table", "one"]];
    expect(await influxdb3("influxdb3 create database my_database".slice(10), on)).toEqual(done('Database "my_database" created successfully\n'));
    expect(
      await influxdb3('create trigger --trigger-spec "all_tables" --plugin-filename tutorial/process_writes.py --database my_database first_light', on),
    ).toEqual(done("Trigger first_light created successfully\n"));
    expect(await influxdb3("write --database my_database 'home,room=kitchen temp=21.5,hum=40i'", on)).toMatchObject({ status: 0, stdout: "" });
    expect(await influxdb3("query --database my_database 'SELECT * FROM processed_data'", on)).toEqual(done("+-------+-----+\n| c0    | c1  |\n+-------+-----+\n| table | one |\n+-------+-----+\n"));
    expect(on.world.calls.map(([name, first]) => [name, first])).toEqual([
      ["createDatabase", "my_database"],
      [
        "createTrigger",
        {
          database: "my_database", pluginFileName: "tutorial/process_writes.py", triggerName: "first_light", runAsync: false,
          errorBehavior: "log", specification: "all_tables", arguments: undefined, disabled: false,
        },
      ],
      [
        "write",
        {
          database: "my_database", precision: "auto", acceptPartial: false, noSync: false, utf8Checked: true,
          body: new TextEncoder().encode("home,room=kitchen temp=21.5,hum=40i"),
        },
      ],
      ["query", expect.objectContaining({ database: "my_database", sql: "SELECT * FROM processed_data" })],
    ]);
    expect(on.requests.every(({ headers }) => headers["authorization"] === undefined)).toBe(true);
  });

  it("sends the tutorial's gh: trigger as it is (cli §16)", async () => {
    const on = session();
    await influxdb3(
      'create trigger --trigger-spec "every:1m" --plugin-filename "gh:examples/schedule/system_metrics/system_metrics.py" --database my_database system_metrics',
      on,
    );
    expect(on.world.calls[0]?.[1]).toMatchObject({ pluginFileName: "gh:examples/schedule/system_metrics/system_metrics.py", specification: "every:1m" });
  });
});

describe("create (cli §4)", () => {
  it("takes the database's name from the environment", async () => {
    const on = session();
    on.env["INFLUXDB3_DATABASE_NAME"] = "from_env";
    expect((await influxdb3("create database --retention-period 7d", on)).stdout).toBe('Database "from_env" created successfully\n');
    expect(on.world.calls[0]).toEqual(["createDatabase", "from_env", { retentionNs: 604_800_000_000_000n }]);
  });

  it("creates tables", async () => {
    const on = session();
    expect(await influxdb3("create table --tags a,b -f x:float64,y:utf8 -d db t", on)).toEqual(done('Table "db"."t" created successfully\n'));
    expect(on.world.calls[0]).toEqual([
      "createTable",
      "db",
      { table: "t", tags: ["a", "b"], fields: [{ name: "x", type: "float64" }, { name: "y", type: "utf8" }] },
    ]);
  });

  it.each([
    ["x", "invalid FIELD:VALUE. No `:` found in `x`"],
    ["x:text", "text is not a valid data type, values are int64, uint64, float64, utf8, and bool"],
  ])("refuses the field %s", async (field, text) => {
    const { status, stderr } = await influxdb3(`create table -d db -f ${field} t`);
    expect(status).toBe(2);
    expect(stderr).toContain(text);
  });

  it("passes all trigger settings", async () => {
    const on = session();
    await influxdb3("create trigger t1 -d db --trigger-spec every:60s --path p.py --trigger-arguments a=1,b=2 --disabled --run-asynchronous --error-behavior retry", on);
    expect(on.world.calls[0]?.[1]).toEqual({
      database: "db", pluginFileName: "p.py", triggerName: "t1", runAsync: true, errorBehavior: "retry",
      specification: "every:1m", arguments: [["a", "1"], ["b", "2"]], disabled: true,
    });
  });

  it("refuses a bad specification before asking the server, exit 2", async () => {
    const on = session();
    const { status, stderr } = await influxdb3("create trigger t -d db --path p.py --trigger-spec every:x", on);
    expect([status, on.requests]).toEqual([2, []]);
    expect(stderr).toContain("failed to parse trigger from every:x: couldn't parse to duration");
  });

  it("wants one of the path flags, and not both", async () => {
    expect(await influxdb3("create trigger t -d db --trigger-spec all_tables")).toEqual({
      status: 1, stdout: "", stderr: "Create command failed: Either --path or --plugin-filename must be provided\n",
    });
    expect((await influxdb3("create trigger t -d db --trigger-spec all_tables --path a --plugin-filename b")).status).toBe(2);
  });

  it("prints a server's refusal of a trigger on two lines", async () => {
    const on = session();
    on.world.failures.set("createTrigger", failure("database.not_found", "Database not found db", undefined, "create it first"));
    const refusal = "server responded with error [404 Not Found]: Database not found db";
    expect(await influxdb3("create trigger t -d db --trigger-spec all_tables --path p.py", on)).toEqual({
      status: 1,
      stdout: "",
      stderr: `Failed to create trigger: ${refusal}\nCreate command failed: ${refusal}\nhint: create it first\n`,
    });
  });

  it("uploads a file, or the files of a package but hidden ones and bytecode", async () => {
    const on = session();
    on.files.set("/here/a/one.py", "1").set("/here/pkg/__init__.py", "i").set("/here/pkg/sub/x.py", "x").set("/here/pkg/__pycache__/y.py", "").set("/here/pkg/.git/x", "").set("/here/pkg/t.toml", "t");
    await influxdb3("create trigger t -d db --trigger-spec all_tables --upload --path ./a/one.py", on);
    await influxdb3("create trigger t -d db --trigger-spec all_tables --upload --path pkg", on);
    expect(on.world.calls.map(([name, first, second]) => (name === "createTrigger" ? (first as { pluginFileName: string }).pluginFileName : [first, textOf(second)]))).toEqual([
      ["one.py", "1"], "one.py", ["pkg/__init__.py", "i"], ["pkg/sub/x.py", "x"], ["pkg/t.toml", "t"], "pkg",
    ]);
  });

  it.each([
    ["nowhere.py", "File not found: nowhere.py"],
    ["a", "Multi-file plugin directory must contain __init__.py: a"],
  ])("refuses to upload %s", async (path, text) => {
    const on = session();
    on.files.set("/here/a/one.py", "1");
    const { status, stderr } = await influxdb3(`create trigger t -d db --trigger-spec all_tables --upload --path ${path}`, on);
    expect([status, stderr, on.requests]).toEqual([1, `Create command failed: ${text}\n`, []]);
  });
});

describe("delete, enable, disable, update (cli §5, §6, §8)", () => {
  it.each([
    ["delete database --yes x", ["deleteDatabase", "x", "default"], 'Database "x" deleted successfully\n'],
    ["delete database --yes x --hard-delete now", ["deleteDatabase", "x", "now"], 'Database "x" deleted successfully\n'],
    ["delete table -y -d x t --hard-delete never", ["deleteTable", "x", "t", "never"], 'Table "x"."t" deleted successfully\n'],
    ["update table -d x t -r 1mo", ["setTableRetention", "x", "t", 2_592_000_000_000_000n], 'Table "x"."t" updated successfully\n'],
    ["update table -d x t -r none", ["setTableRetention", "x", "t", undefined], 'Table "x"."t" updated successfully\n'],
    ["delete table -y -d x t", ["deleteTable", "x", "t", "default"], 'Table "x"."t" deleted successfully\n'],
    ["delete trigger --force -d x t", ["deleteTrigger", "x", "t", true], "Trigger t deleted successfully\n"],
    ["delete trigger t --database=x", ["deleteTrigger", "x", "t", false], "Trigger t deleted successfully\n"],
    ["enable trigger -d x t", ["setTriggerEnabled", "x", "t", true], "Trigger t enabled successfully\n"],
    ["disable trigger t -d x", ["setTriggerEnabled", "x", "t", false], "Trigger t disabled successfully\n"],
    ["update database -d x -r none", ["setRetention", "x", undefined], 'Database "x" updated successfully\n'],
  ])("%s", async (line, call, stdout) => {
    const on = session();
    expect(await influxdb3(line, on)).toEqual(done(stdout));
    expect(on.world.calls).toEqual([call]);
  });

  it.each(["yes\n", "Y\n", " YES "])("asks, and takes %j", async (stdin) => {
    const on = session();
    on.stdin = stdin;
    expect(await influxdb3("delete database x", on)).toEqual({
      status: 0,
      stdout: 'Database "x" deleted successfully\n',
      stderr: "Are you sure you want to delete \"x\"? Enter 'yes' or 'y' to confirm\n",
    });
  });

  it.each(["no\n", "", undefined])("does nothing after %j", async (stdin) => {
    const on = session();
    on.stdin = stdin;
    const { status, stderr } = await influxdb3("delete table -d x t", on);
    expect([status, on.requests]).toEqual([1, []]);
    expect(stderr).toBe(
      "Are you sure you want to delete \"x\".\"t\"? Enter 'yes' or 'y' to confirm\nDelete command failed: Cannot proceed without confirmation\nhint: answer yes, or pass --yes\n",
    );
  });

  it("shows the refusal of a running trigger (cli §5)", async () => {
    const on = session();
    on.world.failures.set("deleteTrigger", failure("trigger.running", "Cannot delete running plugin t. Disable it first or use --force."));
    expect((await influxdb3("delete trigger -d x t", on)).stderr).toBe(
      "Delete command failed: server responded with error [500 Internal Server Error]: Cannot delete running plugin t. Disable it first or use --force.\n",
    );
  });
});

describe("query (cli §11)", () => {
  it("takes the text from the argument, a file or stdin, in this order", async () => {
    const on = session();
    on.stdin = "SELECT stdin";
    on.files.set("q.sql", "SELECT file");
    await influxdb3("query -d x 'SELECT argument' -f q.sql", on);
    await influxdb3("q -d x --file q.sql --format json", on);
    await influxdb3("query -d x --format csv", on);
    expect(on.requests.map(({ body }) => JSON.parse(body as string) as unknown)).toEqual([
      { db: "x", q: "SELECT argument", format: "pretty" },
      { db: "x", q: "SELECT file", format: "json" },
      { db: "x", q: "SELECT stdin", format: "csv" },
    ]);
  });

  it("misses its text as the reference does", async () =>
    expect((await influxdb3("query -d x")).stderr).toMatch(
      /^Query command failed: No input from stdin detected, no string was passed in, {2}and no file path was given\nhint: /,
    ));

  it("saves rows to a file as they are", async () => {
    const on = session();
    on.world.rows = [["a"]];
    expect(await influxdb3("query -d x -o out.json --format json 'SELECT 1'", on)).toEqual(done(""));
    expect(on.files.get("out.json")).toBe('[{"c0":"a"}]');
  });

  it("keeps parquet off the terminal", async () => {
    const on = session();
    on.isTerminal = true;
    on.env["NO_COLOR"] = "1";
    expect((await influxdb3("query -d x --format parquet 'SELECT 1'", on)).stderr).toBe(
      "Query command failed: cannot write parquet to a terminal, use `--output <file>` or pipe the output\n",
    );
  });

  it("shows the planner's words, and JSON errors with the hint apart", async () => {
    const on = session();
    on.world.failures.set("query", failure("query.invalid", "Error during planning: table 'public.iox.x' not found"));
    expect((await influxdb3("query -d x 'SELECT 1'", on)).stderr).toBe(
      "Query command failed: server responded with error [400 Bad Request]: Error during planning: table 'public.iox.x' not found\n",
    );
    on.world.failures.set("query", failure("database.not_found", "x", undefined, "create it"));
    expect((await influxdb3("query -d x 'SELECT 1'", on)).stderr).toBe(
      'Query command failed: server responded with error [404 Not Found]: {"error":"query error: database not found: x"}\nhint: create it\n',
    );
  });

  it.each([["-l influxql"], ["--language INFLUXQL"]])("%s is refused by the server", async (flag) => {
    const { status, stderr } = await influxdb3(`query -d x ${flag} 'SHOW DATABASES'`);
    expect(status).toBe(1);
    expect(stderr).toContain("server responded with error [405 Method Not Allowed]: InfluxQL is not supported yet");
  });
});

describe("write (cli §12)", () => {
  it("passes its flags and says on stderr what it did", async () => {
    const on = session();
    on.stdin = "a b=1\na b=2\n";
    expect(await influxdb3("w -d x --accept-partial --no-sync -p us", on)).toEqual({
      status: 0, stdout: "", stderr: "  0ms: 1 request (1000.00 requests/sec), 2 lines (2000.00 lines/sec), 12 bytes (12000.00 B/s)\n",
    });
    expect(on.world.calls[0]?.[1]).toMatchObject({ acceptPartial: true, noSync: true, precision: "microsecond" });
    expect((await influxdb3("write -q -d x 'a b=1'", on)).stderr).toBe("");
  });

  it("compresses and splits", async () => {
    const on = session();
    on.files.set("f.lp", "a b=1\na b=2\na b=3\n");
    await influxdb3("write -q -d x --gzip --max-request-size 12 -f f.lp", on);
    expect(on.requests.every(({ headers }) => headers["content-encoding"] === "gzip")).toBe(true);
    expect(on.world.calls.map(([, request]) => new TextDecoder().decode((request as { body: Uint8Array }).body))).toEqual(["a b=1\na b=2\n", "a b=3\n"]);
  });

  it.each([
    ["write -d x -p h 'a b=1'", 2, "unrecognized precision unit: h"],
    ["write -d x --max-concurrent-requests 0 'a b=1'", 2, "value must be at least 1"],
    ["write -d x", 1, "Write command failed: No input from stdin detected"],
    ["write -d x -f nowhere", 1, 'Write command failed: unable to read input file "nowhere"'],
  ])("%s ends with %i", async (line, status, text) => {
    const outcome = await influxdb3(line);
    expect(outcome.status).toBe(status);
    expect(outcome.stderr).toContain(text);
  });

  it("shows which line was bad", async () => {
    const on = session();
    const data = { error_message: "No fields were provided", line_number: 1, original_line: "a" };
    on.world.failures.set("write", failure("write.rejected", "m", { error: "line protocol parsing error", data }));
    expect((await influxdb3("write -d x a", on)).stderr).toBe(
      `Write command failed: server responded with error [400 Bad Request]: {"error":"line protocol parsing error","data":${JSON.stringify(data)}}\n`,
    );
  });
});

describe("show and test (cli §7, §10)", () => {
  it("lists databases", async () => {
    expect(await influxdb3("show databases --format csv")).toEqual(done("iox::database\n_internal\nbar\nzoo\n\n"));
    expect((await influxdb3("show databases --show-deleted --format json")).stdout).toContain("old-20260101T000000");
  });

  it("asks for plugin files", async () => {
    const on = session();
    await influxdb3("show plugins", on);
    expect(on.world.calls[0]?.[1]).toMatchObject({ database: "_internal", sql: "SELECT * FROM system.plugin_files" });
  });

  it("tests plugins and prints the report, also when it holds errors", async () => {
    const on = session();
    const { status, stdout } = await influxdb3("test wal_plugin -d x --lp 'a b=1' --input-arguments k=v p.py", on);
    expect([status, stdout]).toEqual([0, `${JSON.stringify({ log_lines: ["INFO: x"], database_writes: { db: ["a b=1"] }, errors: [], ...NO_COST }, undefined, 2)}\n`]);
    expect((await influxdb3("test wal_plugin -d x p.py", on)).stderr).toBe("Test command failed: either --lp or --file must be provided\n");
  });

  it("prints a report to read on a terminal or where it is asked for, JSON elsewhere", async () => {
    const report = "p.py: ok\n\nLog\n  INFO   x\n\nWould have been written\n  to db, 1 line\n    a b=1\n";
    expect((await influxdb3("test wal_plugin -d x --lp 'a b=1' --format report p.py")).stdout).toBe(report);
    const on = Object.assign(session(), { isTerminal: true });
    on.env["NO_COLOR"] = "1";
    expect((await influxdb3("test wal_plugin -d x --lp 'a b=1' p.py", on)).stdout).toBe(report);
    expect((await influxdb3("test wal_plugin -d x --lp 'a b=1' --format json p.py", on)).stdout).toContain('"log_lines": [');
  });

  it("sends a request to test, with a body of text or of a file's bytes, and grants", async () => {
    const on = session();
    on.files.set("/here/b.txt", "é");
    await influxdb3("test request_plugin -d x --query a=1,b=2 --header X-A=c --body text --allow-db other --limit time=1s p.py", on);
    await influxdb3("test request_plugin -d x --file /here/b.txt p.py", on);
    const base = { fileName: "p.py", database: "x" };
    expect(on.world.calls).toEqual([
      ["testRequest", { ...base, query: [["a", "1"], ["b", "2"]], headers: [["X-A", "c"]], body: new TextEncoder().encode("text"), limits: { time: 1000 }, grants: { db: ["other"] } }],
      ["testRequest", { ...base, query: [], headers: [], body: new TextEncoder().encode("é") }],
    ]);
  });
});

describe("talking to a server (cli §1, §2)", () => {
  it("sends a token only when there is one", async () => {
    const on = session();
    on.env["INFLUXDB3_AUTH_TOKEN"] = "secret";
    on.env["INFLUXDB3_HOST_URL"] = "http://other:9000/";
    await influxdb3("show databases", on);
    expect([on.requests[0]?.url, on.requests[0]?.headers["authorization"]]).toEqual([
      "http://other:9000/api/v3/configure/database?format=pretty&show_deleted=false",
      "Bearer secret",
    ]);
  });

  it("says what to do when nobody listens", async () => {
    const on = session();
    on.networkFailure = new TypeError("fetch failed", { cause: Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:8181"), { code: "ECONNREFUSED" }) });
    expect(await influxdb3("query -d x 'SELECT 1'", on)).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "Query command failed: failed to send POST http://127.0.0.1:8181/api/v3/query_sql request: connection refused\n" +
        "hint: no server listens at http://127.0.0.1:8181: start one with 'npm start' or 'influxdb3 serve --node-id node0', or name another with --host\n",
    });
  });

  it("wants a URL with a scheme", async () => {
    const { status, stderr } = await influxdb3("show databases -H localhost:8181");
    expect(status).toBe(2);
    expect(stderr).toContain("invalid value 'localhost:8181' for '--host <URL>': it is not a URL with a scheme");
  });
});

describe("tokens (cli §4, §5, §7)", () => {
  const withTokens = (): Session => {
    const on = session();
    return { ...on, world: { ...on.world, options: { ...on.world.options, authenticate: () => ({ id: 1, name: "_admin", hash: "", createdMs: 0n }) } } };
  };

  it("create token --admin prints the token and how to send it", async () => {
    const on = withTokens();
    const { status, stdout } = await influxdb3("create token --admin", on);
    expect(status).toBe(0);
    expect(stdout).toBe(
      "\nNew token created successfully!\n\nToken: apiv3_x\nHTTP Requests Header: Authorization: Bearer apiv3_x\n\nIMPORTANT: Store this token securely, as it will not be shown again.\n\n",
    );
    expect(on.world.calls).toEqual([["createOperator"]]);
  });

  it("prints JSON for scripts", async () => {
    const { stdout } = await influxdb3("create token --admin --format json", withTokens());
    expect(JSON.parse(stdout)).toEqual({ help_msg: expect.stringContaining('"Authorization: Bearer apiv3_x"'), token: "apiv3_x" });
  });

  it("makes a named one with an expiry", async () => {
    const on = withTokens();
    expect((await influxdb3("create token --admin --name ci --expiry 1d --token apiv3_a", on)).status).toBe(0);
    expect(on.requests[0]?.headers["authorization"]).toBe("Bearer apiv3_a");
    expect(on.world.calls).toEqual([["createNamed", "ci", { expirySeconds: 86_400n, createdBy: 1 }]]);
  });

  it("regenerates only after yes", async () => {
    const on = withTokens();
    on.stdin = "no";
    const refused = await influxdb3("create token --admin --regenerate --token apiv3_a", on);
    expect([refused.status, refused.stderr]).toEqual([1, "Create command failed: Cannot regenerate token without confirmation\nhint: answer yes\n"]);
    expect(on.requests).toEqual([]);
    on.stdin = "yes\n";
    const done = await influxdb3("create token --admin --regenerate --token apiv3_a", on);
    expect(done.stdout).toContain("Are you sure you want to regenerate admin token? Enter 'yes' to confirm\n");
    expect(on.world.calls).toEqual([["regenerateOperator", 1]]);
  });

  it("makes a token file without a server", async () => {
    const on = session();
    const { status, stdout } = await influxdb3("create token --admin --offline --name edge --expiry 1m --output-file t.json", on);
    expect([status, on.requests.length]).toEqual([0, 0]);
    const file = JSON.parse(on.files.get("/here/t.json") ?? "") as Record<string, unknown>;
    expect(file).toEqual({ token: expect.stringMatching(/^apiv3_[A-Za-z0-9_-]{86}$/), name: "edge", expiry_millis: 1_700_000_060_000 });
    expect(stdout).toContain("Token saved to: t.json\n");
    expect(stdout).toContain(`Token: ${String(file["token"])}`);
  });

  it.each([
    ["create token", "Missing required subcommand. Use: influxdb3 create token --admin [OPTIONS]"],
    ["create token --admin --expiry 1d", "--expiry needs --name: the operator token does not expire"],
    ["create token --admin --offline", "--offline and --output-file go together"],
  ])("%s is misuse", async (line, text) => {
    const { status, stderr } = await influxdb3(line);
    expect([status, stderr.split("\n")[0]]).toEqual([2, `error: ${text}`]);
  });

  it("deletes a named token after a question, and never the operator's", async () => {
    const on = withTokens();
    expect(await influxdb3("delete token --token-name ci --yes", on)).toEqual({ status: 0, stdout: 'Token "ci" deleted successfully\n', stderr: "" });
    expect(on.world.calls).toEqual([["deleteToken", "ci"]]);
    const operator = await influxdb3("delete token --token-name _admin", on);
    expect([operator.status, operator.stdout]).toEqual([
      0,
      'The operator token "_admin" is required and cannot be deleted. To regenerate an operator token, use: influxdb3 create token --admin --regenerate --token [TOKEN]\n',
    ]);
  });

  it("lists them from the system table", async () => {
    const on = withTokens();
    await influxdb3("show tokens", on);
    expect(on.world.calls).toMatchObject([["query", { database: "_internal", sql: "SELECT * FROM system.tokens" }]]);
  });
});
