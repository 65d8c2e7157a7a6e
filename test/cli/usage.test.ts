/** Misuse, help, version, serve's settings: spec cli §1, §3. Help texts are reviewed snapshots. */
import { describe, expect, it } from "vitest";
import type { CommandNode } from "../../src/cli/command.ts";
import { PROGRAM } from "../../src/cli/program.ts";
import { influxdb3, session } from "./fake-terminal.ts";

describe("misuse ends with 2 and the nearest name", () => {
  it.each([
    ["qeury", "error: unrecognized subcommand 'qeury'\n\n  tip: a similar subcommand exists: 'query'\n\nUsage: influxdb3 [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"],
    ["create databse x", "error: unrecognized subcommand 'databse'\n\n  tip: a similar subcommand exists: 'database'\n\nUsage: influxdb3 create [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"],
    ["create database --retention-perod 1d x", "error: unexpected argument '--retention-perod' found\n\n  tip: a similar argument exists: '--retention-period'\n\nUsage: influxdb3 create database [OPTIONS] <DATABASE_NAME>\n\nFor more information, try '--help'.\n"],
    ["query 'SELECT 1'", "error: the following required arguments were not provided:\n  --database <NAME>\n\nUsage: influxdb3 query [OPTIONS] --database <NAME> [QUERY]\n\nFor more information, try '--help'.\n"],
    ["--verison", "error: unexpected argument '--verison' found\n\n  tip: a similar argument exists: '--version'\n\nUsage: influxdb3 [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"],
    ["serve --nod-id x", "error: unexpected argument '--nod-id' found\n\n  tip: a similar argument exists: '--node-id'\n\nUsage: influxdb3 serve [OPTIONS]\n\nFor more information, try '--help'.\n"],
    ["serve", "error: the following required arguments were not provided:\n  <--node-id <ID>|--node-id-from-env <VAR>>\n\nUsage: influxdb3 serve [OPTIONS]\n\nFor more information, try '--help'.\n"],
    ["serve --node-id a --cluster-id b", "error: a cluster-id was specified, but it is a parameter of InfluxDB 3 Enterprise\n\n  tip: remove --cluster-id\n\nUsage: influxdb3 serve [OPTIONS]\n\nFor more information, try '--help'.\n"],
  ])("%s", async (line, stderr) => expect(await influxdb3(line)).toEqual({ status: 2, stdout: "", stderr }));

  it("explains a group that was given no command", async () => {
    const { status, stdout, stderr } = await influxdb3("create");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: influxdb3 create [OPTIONS] <COMMAND>");
  });
});

describe("serve refuses before it starts anything (cli §3)", () => {
  it.each([
    [
      "dev --http-bind 0.0.0.0:8181",
      'Dev command failed: Refused to listen on "0.0.0.0:8181": this server asks for no tokens, so everyone who reaches that address could read, write and run plugins\nhint: listen on 127.0.0.1, run \'influxdb3 serve\', which asks for tokens, or pass --without-auth if you accept that\n',
    ],
    [
      "serve --node-id a --tls-cert c",
      "Serve command failed: tls requires both a cert and a key file to be passed in to work\nhint: give --tls-key too\n",
    ],
    [
      "serve --node-id-from-env NOPE",
      "Serve command failed: Must set INFLUXDB3_NODE_IDENTIFIER_PREFIX=NOPE to a valid env var value for the node id\nhint: export NOPE=<node id>, or pass --node-id\n",
    ],
    [
      "serve --node-id a --object-store google",
      'Serve command failed: Cannot parse object store config: the object store "google" is not supported\nhint: use file, or s3 with any store that speaks S3\'s API and honours If-None-Match\n',
    ],
    [
      "serve --node-id a --object-store s3",
      "Serve command failed: Cannot parse object store config: no bucket was named\nhint: pass --bucket, or set INFLUXDB3_BUCKET\n",
    ],
    [
      "dev --wal-flush-interval 5",
      'Dev command failed: The WAL flush interval "5" is not between 10ms and 24 days\nhint: write it as in --wal-flush-interval 1s\n',
    ],
  ])("%s", async (line, stderr) => expect(await influxdb3(line)).toEqual({ status: 1, stdout: "", stderr }));
});

describe("commands that are not there yet", () => {
  it.each([
    ["debug catalog list", "Debug command failed: 'debug' is not available yet"],
  ])("%s says so and ends with 1", async (line, text) => {
    const { status, stderr } = await influxdb3(line);
    expect([status, stderr.split("\n")[0]]).toEqual([1, text]);
  });
});

describe("version and colours", () => {
  it.each(["--version", "-V"])("%s is one line", async (flag) =>
    expect(await influxdb3(flag)).toEqual({ status: 0, stdout: "influxdb3 (Tidemark) 0.1.0, speaks InfluxDB 3.10.0\n", stderr: "" }),
  );

  it("skips the runtime flags before the command (cli §1)", async () =>
    expect((await influxdb3("--num-io-threads 4 --io-runtime-disable-lifo-slot show databases --format csv")).status).toBe(0));

  it("colours errors on a terminal only, and never with NO_COLOR", async () => {
    const on = session();
    expect((await influxdb3("debug", on)).stderr).not.toContain("\u001b");
    on.isTerminal = true;
    expect((await influxdb3("debug", on)).stderr).toContain("\u001b[31mDebug command failed:\u001b[39m");
    on.env["NO_COLOR"] = "1";
    expect((await influxdb3("debug", on)).stderr).not.toContain("\u001b");
  });
});

function pathsOf(node: CommandNode, path: readonly string[] = []): readonly (readonly string[])[] {
  return [path, ...(node.children ?? []).flatMap((child) => pathsOf(child, [...path, child.name]))];
}

describe("help", () => {
  it.each(pathsOf(PROGRAM).map((path) => path.join(" ")))("%s --help", async (path) => {
    const { status, stdout, stderr } = await influxdb3(`${path} --help`);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatchSnapshot();
    expect((await influxdb3(`${path} -h`)).stdout).toBe(stdout);
  });

  it("docs/cli.md is made of the same texts; `npx vitest run test/cli/usage.test.ts -u` writes it anew", async () => {
    const chapters = pathsOf(PROGRAM).filter((path) => path.length > 0).map(async (path) => {
      const { stdout } = await influxdb3(`${path.join(" ")} ${path.join(" ") === "serve" ? "--help-all" : "--help"}`);
      return stdout.includes("not available yet") ? "" : `${"#".repeat(path.length + 1)} influxdb3 ${path.join(" ")}\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n`;
    });
    const intro = "# The `influxdb3` command\nEvery command and option. This page is made from the commands themselves and says what `--help` says; how they differ from\nInfluxDB's is in [compatibility.md](compatibility.md).\n";
    await expect([intro, ...(await Promise.all(chapters)).filter((text) => text !== "")].join("\n")).toMatchFileSnapshot("../../docs/cli.md");
  });

  it("serve --help-all lists the flags that are accepted for compatibility", async () => {
    const { stdout } = await influxdb3("serve --help-all");
    expect(stdout).toContain("--exec-mem-pool-bytes");
    expect(stdout).toContain("also: --host-id");
  });

  it("every command that works shows an example", async () => {
    for (const path of pathsOf(PROGRAM)) {
      const { stdout } = await influxdb3(`${path.join(" ")} --help`);
      if (!stdout.includes("Commands:") && !stdout.includes("not available yet")) expect(stdout).toContain("Examples:");
    }
  });
});
