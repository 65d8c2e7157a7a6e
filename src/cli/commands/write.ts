import { DatabaseError } from "../../core/errors/database-error.ts";
import { Client } from "../client.ts";
import type { Command, CommandContext } from "../command.ts";
import { checkPositive, checkUrl, CLIENT_FLAGS, DATABASE_FLAG } from "../common-flags.ts";
import { readInput } from "../input.ts";
import { bytesProgress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { countLines, splitLines } from "../split-lines.ts";

const PRECISIONS: ReadonlyMap<string, string> = new Map(
  (
    [
      ["auto", "auto"],
      ["ns n nanosecond", "nanosecond"],
      ["us u microsecond", "microsecond"],
      ["ms millisecond", "millisecond"],
      ["s second", "second"],
    ] as const
  ).flatMap(([words, precision]) => words.split(" ").map((word): [string, string] => [word, precision])),
);

const DEFAULT_REQUEST_SIZE_MAX = 10_485_760;
const DEFAULT_REQUESTS_MAX = 32;

/** Spec: cli §12. */
export const write: Command = {
  summary: "Write line protocol",
  details: "The lines are the argument, else --file, else what is piped in. The summary goes to stderr.",
  arguments: [{ name: "LINE_PROTOCOL", summary: "One line or several: table,tag=value field=value [timestamp]" }],
  flags: [
    DATABASE_FLAG,
    { name: "file", short: "f", value: "FILE", summary: "Read the lines from this file" },
    { name: "accept-partial", summary: "Keep the good lines when others are bad" },
    { name: "no-sync", summary: "Do not wait until the lines are on disk" },
    {
      name: "precision",
      short: "p",
      value: "UNIT",
      summary: "Unit of the timestamps: auto, ns, us, ms, s",
      defaultText: "auto",
      check: (unit) => (PRECISIONS.has(unit) ? undefined : `unrecognized precision unit: ${unit}`),
    },
    { name: "gzip", summary: "Compress the requests" },
    {
      name: "max-request-size",
      value: "BYTES",
      summary: "Larger input is split at newlines",
      defaultText: String(DEFAULT_REQUEST_SIZE_MAX),
      check: checkPositive,
    },
    {
      name: "max-concurrent-requests",
      value: "COUNT",
      summary: "Requests at the same time",
      defaultText: String(DEFAULT_REQUESTS_MAX),
      check: checkPositive,
    },
    { name: "quiet", short: "q", summary: "No summary" },
    {
      name: "write-host",
      value: "URL",
      summary: "The server to write to, beats --host",
      env: ["INFLUXDB3_WRITE_HOST_URL"],
      check: checkUrl,
      hidden: true,
    },
    ...CLIENT_FLAGS,
  ],
  examples: [
    { note: "Write one line", line: "influxdb3 write --database my_database 'home,room=kitchen temp=21.5,hum=40i'" },
    { note: "Write a file, compressed", line: "influxdb3 write -d my_database --gzip --file home.lp" },
    { note: "Pipe lines in", line: "cat home.lp | influxdb3 write -d my_database --precision s" },
  ],
  run: runWrite,
};

async function runWrite({ arguments: given, terminal }: CommandContext): Promise<void> {
  const input = await readInput(terminal, given.argument("LINE_PROTOCOL"), given.text("file"));
  if (input === undefined) {
    throw new DatabaseError("cli.failed", {
      message: "No input from stdin detected, no string was passed in,  and no file path was given",
      hint: "pass line protocol as an argument: influxdb3 write --database <NAME> 'table,tag=a field=1'",
    });
  }
  const startedMs = terminal.nowMs();
  const sizeMax = Number(given.text("max-request-size") ?? DEFAULT_REQUEST_SIZE_MAX);
  const parts = splitLines(input, sizeMax);
  const client = new Client(given, terminal, "write-host");
  const query = {
    db: given.requiredText("database"),
    precision: PRECISIONS.get(given.text("precision") ?? "auto") ?? "auto",
    accept_partial: String(given.isSet("accept-partial")),
    no_sync: String(given.isSet("no-sync")),
  };
  const requestsMax = Number(given.text("max-concurrent-requests") ?? DEFAULT_REQUESTS_MAX);
  const progress = given.isSet("quiet") || parts.length < 2 ? undefined : bytesProgress(terminal, input.length);
  let sentBytes = 0;
  try {
    await sendAll(parts, requestsMax, async (part) => {
      await send(client, terminal, query, part, given.isSet("gzip"));
      progress?.show((sentBytes += part.length));
    });
  } finally {
    progress?.end();
  }
  if (!given.isSet("quiet")) terminal.stderr(summary(terminal.nowMs() - startedMs, parts.length, input));
}

async function send(
  client: Client,
  terminal: Terminal,
  query: Readonly<Record<string, string>>,
  part: Uint8Array,
  isCompressed: boolean,
): Promise<void> {
  await client.call({
    method: "POST",
    path: "/api/v3/write_lp",
    query,
    bytes: isCompressed ? await terminal.gzip(part) : part,
    headers: { "content-type": "text/plain; charset=utf-8", ...(isCompressed ? { "content-encoding": "gzip" } : {}) },
  });
}

/** The first failure ends the sending; requests that run are waited for. */
async function sendAll<Part>(parts: readonly Part[], atOnceMax: number, sendOne: (part: Part) => Promise<void>): Promise<void> {
  let next = 0;
  let isFailed = false;
  const lane = async (): Promise<void> => {
    while (next < parts.length && !isFailed) {
      const part = parts[next++] as Part;
      await sendOne(part).catch((error: unknown) => {
        isFailed = true;
        throw error;
      });
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnceMax, parts.length) }, lane));
  const failure = lanes.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

function summary(elapsedMs: number, requests: number, input: Uint8Array): string {
  const lines = countLines(input);
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const rate = (count: number): string => (count / seconds).toFixed(2);
  return (
    `  ${durationText(elapsedMs)}: ${plural(requests, "request")} (${rate(requests)} requests/sec), ` +
    `${plural(lines, "line")} (${rate(lines)} lines/sec), ${input.length} bytes (${rate(input.length)} B/s)\n`
  );
}

function durationText(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return seconds === 0 ? `${Math.round(elapsedMs)}ms` : `${seconds}s ${Math.round(elapsedMs % 1000)}ms`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
