/** What surrounds a running server: settings with their warnings, the banner, stopping (issue 2; spec cli §3). */
import { describe, expect, it } from "vitest";
import { banner } from "../../src/cli/banner.ts";
import { readConfig } from "../../src/cli/commands/serve.ts";
import { parseArguments } from "../../src/cli/parse.ts";
import { runUntilStopped } from "../../src/cli/run-server.ts";
import { SERVE_FLAGS } from "../../src/cli/serve-flags.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import type { ServeConfig } from "../../src/core/config/serve-config.ts";

interface FakeServerTerminal {
  readonly terminal: Terminal;
  readonly said: string[];
  signal(): void;
  /** Lets the time of `after` pass. */
  passTime(): void;
  readonly delays: readonly number[];
}

function fake(): FakeServerTerminal {
  const said: string[] = [];
  let onSignal = (): void => undefined;
  let onTime = (): void => undefined;
  const delays: number[] = [];
  const terminal: Partial<Terminal> = {
    homeDir: "/home/u",
    env: () => undefined,
    resolvePath: (path) => path,
    stderr: (text) => void said.push(text),
    onStopSignal: (listener) => (onSignal = listener),
    after: (delayMs, action) => {
      delays.push(delayMs);
      onTime = action;
    },
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  return { terminal: terminal as Terminal, said, signal: () => onSignal(), passTime: () => onTime(), delays };
}

function config(line: string, on = fake(), variables: Readonly<Record<string, string>> = {}): ServeConfig {
  const given = parseArguments({ flags: SERVE_FLAGS }, line.split(" ").filter((word) => word !== ""), (name) => variables[name]);
  return readConfig(given, on.terminal, { authentication: "this-machine", nodeId: "local", dataDir: "/home/u/.influxdb", program: "influxdb3" });
}

describe("readConfig()", () => {
  it("accepts flags without effect in 3.10 and 3.11 names, and says so once (cli §18)", () => {
    const on = fake();
    config("--exec-mem-pool-size 20% --checkpoint-interval 1h --wal-files-per-snapshot 10 --disable-telemetry-upload --disable-authz health,ping", on);
    expect(on.said).toEqual(["warning: accepted without effect: --checkpoint-interval\n"]);
  });

  it("accepts what tunes the reference's runtime and traces, and its hidden flags (cli §3.1)", () => {
    const on = fake();
    const names = ["datafusion-runtime-thread-priority", "traces-exporter-jaeger-agent-host", "traces-jaeger-tags", "admin-token-recovery-tcp-listener-file-path"];
    config(`${names.map((name) => `--${name} 1`).join(" ")} --test-mode`, on);
    expect(on.said).toEqual([expect.stringMatching(/^warning: accepted without effect: /)]);
    for (const name of [...names, "test-mode"]) expect(on.said[0]).toContain(`--${name}`);
  });

  it("says so too when they stand in the environment, by every name of theirs (cli §18)", () => {
    const on = fake();
    const variables: Readonly<Record<string, string>> = { INFLUXDB3_CHECKPOINT_INTERVAL: "1h", INFLUXDB3_NUM_WAL_FILES_TO_KEEP: "5" };
    config("", on, variables);
    expect(on.said).toEqual(["warning: accepted without effect: --snapshotted-wal-files-to-keep, --checkpoint-interval\n"]);
  });

  it("warns when everyone may reach the server", () => {
    const on = fake();
    config("--http-bind 0.0.0.0:1 --without-auth", on);
    expect(on.said).toEqual(["warning: listening on 0.0.0.0 without authentication: everyone who reaches it may read, write and run plugins\n"]);
  });
});

describe("banner()", () => {
  it("says where everything is and what to type next", () =>
    expect(banner(config(""), { url: "http://127.0.0.1:8181", hasTokens: true, startMs: 312.4, program: "npx influxdb3" })).toMatchInlineSnapshot(`
      "
      Tidemark 0.1.0 is ready (312 ms)

        listens on  http://127.0.0.1:8181  (this machine only, no authentication)
        data        /home/u/.influxdb
        plugins     /home/u/.influxdb/plugins

      Next, in a second terminal:

        npx influxdb3 create database my_database
        npx influxdb3 create trigger --trigger-spec "table:home" --path tutorial/process_writes.py --database my_database first_light
        npx influxdb3 write --database my_database 'home,room=kitchen temp=21.5,hum=40i'
        npx influxdb3 query --database my_database 'SELECT * FROM processed_data'

      Ctrl-C stops the server.

      "
    `));

  it("names the host when it is not the default one", () =>
    expect(banner(config("--object-store memory"), { url: "http://127.0.0.1:9", hasTokens: true, startMs: 1, program: "influxdb3" })).toContain(
      "influxdb3 create database my_database --host http://127.0.0.1:9\n",
    ));
});

describe("runUntilStopped()", () => {
  it("closes on the first signal", async () => {
    const on = fake();
    let isClosed = false;
    const running = runUntilStopped({ close: () => Promise.resolve(void (isClosed = true)) }, on.terminal);
    expect(isClosed).toBe(false);
    on.signal();
    await running;
    expect([isClosed, on.said]).toEqual([true, ["Stopping (once more to stop at once)\n", "Stopped\n"]]);
  });

  it("does not wait for ever", async () => {
    const on = fake();
    const running = runUntilStopped({ close: () => new Promise(() => undefined) }, on.terminal);
    on.signal();
    await Promise.resolve();
    on.passTime();
    await running;
    expect(on.said.at(-1)).toBe("Stopped; some requests or plugins were cut off\n");
  });

  it.each([[undefined, 1_900], [30_000, 30_400], [0, 400]])("given %s ms for running requests, waits %s ms in all", async (graceMs, expected) => {
    const on = fake();
    const running = runUntilStopped({ close: () => Promise.resolve() }, on.terminal, graceMs);
    on.signal();
    await running;
    expect(on.delays).toEqual([expected]);
  });

  it("ends at once on the second signal", () => {
    const on = fake();
    void runUntilStopped({ close: () => new Promise(() => undefined) }, on.terminal);
    on.signal();
    expect(() => on.signal()).toThrow("exit 130");
  });
});

describe("--wal-replay-fail-on-error", () => {
  it.each([["", true], ["--wal-replay-fail-on-error", true], ["--wal-replay-fail-on-error=true", true], ["--wal-replay-fail-on-error=false", false], ["--wal-replay-fail-on-error --verbose", true]])("%s is %s", (line, expected) => {
    expect(config(line).walReplayFailOnError).toBe(expected);
  });

  it("takes nothing else", () => expect(() => config("--wal-replay-fail-on-error=maybe")).toThrow("maybe"));
});
