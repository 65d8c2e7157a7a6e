// Goal: every command that prints rows prints them in every format as reviewed. Method: the command line in this process against a
// real server whose state is made here; what a run decides (times, hashes, sizes, paths) is masked by its column.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";
import { influxdb3, session } from "./fake-terminal.ts";

const LINES = [
  'room,name=kitchen temp=21.5,hum=40i,count=7u,open=true,note="a, ""b""" 1700000000000000000',
  'room,name=hall temp=19,note="ä | c" 1700000001500000000',
];
const COMMANDS = [
  "show databases", "show databases --show-deleted", "show retention", "show plugins", "show triggers -d home", "show triggers -d home --all", "show packages", "show tokens",
  "show system -d home table-list", "show system -d home table last_caches", "show system -d home table distinct_caches", "show system -d home table influxdb_schema",
  "show system -d home table processing_engine_triggers", "show system -d home table processing_engine_trigger_arguments", "show system -d home table parquet_files",
  "show system -d home table queries --select query_type,phase,success --limit 1",
  "query -d home 'SELECT * FROM room ORDER BY time'", "query -d home 'SELECT * FROM room WHERE false'",
];
const FORMATS = ["pretty", "json", "jsonl", "csv"] as const;
/** Columns that differ from run to run. */
const OF_THE_RUN = ["hash", "created_at", "last_modified", "size_bytes", "file_path"];

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startServer({ tokens: true });
  token = (JSON.parse((await post(server, "/api/v3/configure/token/admin", "")).text) as { token: string }).token;
  await command(`write -d home '${LINES[0]?.replaceAll('""', '\\"')}\n${LINES[1]}'`);
  for (const line of [
    "create database kept --retention-period 30d", "create database gone", "delete database gone --yes", "create last_cache -d home -t room --count 2", "create distinct_cache -d home -t room --columns name",
    "create trigger count -d home --trigger-spec every:1h --path tutorial/process_writes.py --disabled --trigger-arguments a=b --limit time=5s",
  ]) await command(line);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  removeFolder(server.folder);
});

async function command(line: string): Promise<string> {
  const on = { ...session(), env: { INFLUXDB3_HOST_URL: server.url, INFLUXDB3_AUTH_TOKEN: token }, server: true };
  const { status, stdout, stderr } = await influxdb3(line, on);
  expect([status, line.startsWith("write") ? "" : stderr]).toEqual([0, ""]);
  return stdout;
}

/** Deleted databases are named by when that was. */
const undated = (text: string): string => text.replaceAll(/gone-\d{8}T\d{6}/g, "gone-YYYYMMDDTHHMMSS");

function masked(text: string, format: (typeof FORMATS)[number]): string {
  if (format === "pretty") return maskedGrid(text);
  if (format !== "csv") return text.replaceAll(new RegExp(`"(${OF_THE_RUN.join("|")})":(?:"[^"]*"|\\d+)`, "g"), '"$1":…');
  const [head = "", ...rows] = text.split("\n");
  const hidden = hiddenOf(head.split(","));
  return [head, ...rows.map((row) => (row === "" ? row : hide(row.split(","), hidden).join(",")))].join("\n");
}

/** Borders and blanks follow the widths of what is masked, so they go where something is. */
function maskedGrid(text: string): string {
  const lines = text.split("\n");
  const cellsOf = (line: string): string[] => line.split("|").slice(1, -1).map((cell) => cell.trim());
  const head = lines.findIndex((line) => line.startsWith("|"));
  const hidden = hiddenOf(cellsOf(lines[head] ?? ""));
  if (!hidden.includes(true)) return text;
  return lines.map((line, index) => (line.startsWith("|") ? (index === head ? cellsOf(line) : hide(cellsOf(line), hidden)).join(" | ") : line.replaceAll(/-+/g, "--"))).join("\n");
}

const hiddenOf = (names: readonly string[]): boolean[] => names.map((name) => OF_THE_RUN.includes(name));
const hide = (cells: readonly string[], hidden: readonly boolean[]): string[] => (hidden.includes(true) ? cells.map((cell, index) => (hidden[index] === true ? "…" : cell)) : [...cells]);

describe.each(FORMATS)("as %s", (format) => {
  it.each(COMMANDS)("%s", async (line) => expect(masked(undated(await command(`${line} --format ${format}`)), format)).toMatchSnapshot());
});

it("queries about queries and about the schema are left out of system.queries (cli §7)", async () => {
  await command("show system -d home table queries");
  const texts = await command("show system -d home table queries --select query_text --limit 0 --format csv");
  expect(texts).toContain("SELECT * FROM room");
  expect(texts).not.toMatch(/system\.queries|information_schema/);
});

it("a whole process prints the same bytes", async () => {
  const { stdout } = await runCli(["show", "retention", "--format", "csv"], { env: { INFLUXDB3_HOST_URL: server.url, INFLUXDB3_AUTH_TOKEN: token } });
  expect(stdout).toBe(await command("show retention --format csv"));
});
