/** Other databases on this machine, where they are installed: the same rows and the same questions, for ratios of one run. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { eventually, removeFolder, temporaryFolder } from "../test/support/server.ts";

export interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly writeUrl: string;
  /** URL of a question by its metric's name; undefined: the peer cannot be asked that. */
  readonly questions: Readonly<Record<string, string | undefined>>;
  stop(): Promise<void>;
}

/** The hour and the whole span of the rows, in seconds since 1970. */
export interface Span {
  readonly hourFrom: number;
  readonly hourTo: number;
  readonly from: number;
  readonly to: number;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function started(name: string, command: string, args: readonly string[], pingUrl: string, folder: string): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: "ignore", cwd: folder });
  await eventually(`${name} to answer`, async () => ((await fetch(pingUrl).catch(() => undefined))?.ok === true ? true : undefined), 30_000);
  return child;
}

function stopper(child: ChildProcess, folder: string): () => Promise<void> {
  return async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    removeFolder(folder);
  };
}

const FIELDS = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"];

async function influxd(span: Span): Promise<Peer> {
  const folder = temporaryFolder();
  const [http, rpc] = [await freePort(), await freePort()];
  const config = [
    `bind-address = "127.0.0.1:${rpc}"`, "reporting-disabled = true", `[meta]\ndir = "${join(folder, "meta")}"`,
    `[data]\ndir = "${join(folder, "data")}"\nwal-dir = "${join(folder, "wal")}"\nquery-log-enabled = false`, "[monitor]\nstore-enabled = false",
    `[http]\nbind-address = "127.0.0.1:${http}"\nlog-enabled = false\nmax-body-size = 0`,
  ].join("\n");
  writeFileSync(join(folder, "influxdb.conf"), config);
  const url = `http://127.0.0.1:${http}`;
  const child = await started("influxd", "/usr/bin/influxd", ["run", "-config", join(folder, "influxdb.conf")], `${url}/ping`, folder);
  await fetch(`${url}/query?q=${encodeURIComponent("CREATE DATABASE bench")}`, { method: "POST" });
  const ask = (q: string): string => `${url}/query?db=bench&epoch=ns&q=${encodeURIComponent(q)}`;
  const hour = `time >= ${span.hourFrom}s AND time < ${span.hourTo}s`;
  const all = `time >= ${span.from}s AND time < ${span.to}s`;
  const means = FIELDS.map((field) => `mean(${field})`).join(",");
  return {
    name: "influxd_1_6", pid: child.pid as number, writeUrl: `${url}/write?db=bench&precision=ns`, stop: stopper(child, folder),
    questions: {
      last_one_host: ask("SELECT last(usage_user) FROM cpu WHERE hostname = 'host_5'"),
      last_by_host: ask("SELECT last(usage_user) FROM cpu GROUP BY hostname"),
      minutes_one_host: ask(`SELECT mean(usage_user) FROM cpu WHERE hostname = 'host_5' AND ${hour} GROUP BY time(1m)`),
      minutes_all_hosts: ask(`SELECT mean(usage_user) FROM cpu WHERE ${hour} GROUP BY time(1m)`),
      minutes_10_fields: ask(`SELECT ${means} FROM cpu WHERE ${hour} GROUP BY time(1m)`),
      mean_by_host: ask("SELECT mean(usage_user) FROM cpu GROUP BY hostname"),
      mean_by_host_and_hour: ask(`SELECT mean(usage_user) FROM cpu WHERE ${all} GROUP BY time(1h), hostname`),
    },
  };
}

async function victoriaMetrics(span: Span): Promise<Peer> {
  const folder = temporaryFolder();
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = await started("victoria-metrics", "/usr/bin/victoria-metrics", [`-storageDataPath=${folder}`, `-httpListenAddr=${url.slice(7)}`, "-retentionPeriod=100y", "-search.maxUniqueTimeseries=1000000"], `${url}/health`, folder);
  const at = (query: string, time: number): string => `${url}/api/v1/query?nocache=1&time=${time}&query=${encodeURIComponent(query)}`;
  // A point of the answer covers the step before it.
  const range = (query: string, step: number): string => `${url}/api/v1/query_range?nocache=1&start=${span.hourFrom + step}&end=${span.hourTo}&step=${step}&query=${encodeURIComponent(query)}`;
  const length = span.to - span.from;
  return {
    name: "victoria_metrics", pid: child.pid as number, writeUrl: `${url}/write`, stop: stopper(child, folder),
    questions: {
      last_one_host: at(`last_over_time(cpu_usage_user{hostname="host_5"}[${length}s])`, span.to),
      last_by_host: at(`last_over_time(cpu_usage_user[${length}s])`, span.to),
      minutes_one_host: range(`avg_over_time(cpu_usage_user{hostname="host_5"}[1m])`, 60),
      minutes_all_hosts: range("avg(avg_over_time(cpu_usage_user[1m]))", 60),
      minutes_10_fields: range('avg(avg_over_time({__name__=~"cpu_usage_.*"}[1m])) by (__name__)', 60),
      mean_by_host: at(`avg_over_time(cpu_usage_user[${length}s])`, span.to),
      mean_by_host_and_hour: `${url}/api/v1/query_range?nocache=1&start=${span.from + 3600}&end=${span.to}&step=3600&query=${encodeURIComponent("avg_over_time(cpu_usage_user[1h])")}`,
    },
  };
}

/** Starts those that are installed, one after the other. */
export async function* peers(span: Span): AsyncGenerator<Peer> {
  if (existsSync("/usr/bin/influxd")) yield await influxd(span);
  if (existsSync("/usr/bin/victoria-metrics")) yield await victoriaMetrics(span);
}
