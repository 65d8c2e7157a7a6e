// Other time-series databases under the same load, where they are installed: InfluxDB 1 and VictoriaMetrics. Each gets a
// temporary folder, loopback ports and its own defaults for everything else, fsync included.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { eventually, removeFolder, temporaryFolder } from "../test/support/server.ts";
import type { Target } from "./ingest-load.ts";

export interface Peer {
  readonly name: string;
  readonly version: string;
  start(): Promise<Target>;
}

/** Those that are installed. */
export function installedPeers(): readonly Peer[] {
  return [
    { name: "influxdb", program: "influxd", versionArguments: ["version"], start: startInfluxdb },
    { name: "victoria_metrics", program: "victoria-metrics", versionArguments: ["--version"], start: startVictoriaMetrics },
  ].flatMap(({ name, program, versionArguments, start }) => {
    try {
      return [{ name, version: execFileSync(program, versionArguments, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0] ?? "", start: () => start(program) }];
    } catch {
      return [];
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startInfluxdb(program: string): Promise<Target> {
  const folder = temporaryFolder();
  const [http, rpc] = [await freePort(), await freePort()];
  const config = join(folder, "influxdb.conf");
  writeFileSync(config, `
reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
[http]
bind-address = "127.0.0.1:${http}"
log-enabled = false
[monitor]
store-enabled = false
`);
  const process = spawn(program, ["run", "-config", config], { stdio: "ignore" });
  const url = `http://127.0.0.1:${http}`;
  await eventually("InfluxDB to listen", async () => ((await answers(`${url}/ping`)) ? true : undefined), 30_000);
  await fetch(`${url}/query?q=CREATE+DATABASE+bench`, { method: "POST" });
  return target(process, `${url}/write?db=bench&precision=ns`, folder);
}

async function startVictoriaMetrics(program: string): Promise<Target> {
  const folder = temporaryFolder();
  const port = await freePort();
  // By default it drops rows older than a month.
  const process = spawn(program, [`-storageDataPath=${folder}/data`, `-httpListenAddr=127.0.0.1:${port}`, "-retentionPeriod=100y"], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await eventually("VictoriaMetrics to listen", async () => ((await answers(`${url}/health`)) ? true : undefined), 30_000);
  return target(process, `${url}/write?db=bench`, folder);
}

const answers = (url: string): Promise<boolean> => fetch(url).then((response) => response.ok, () => false);

function target(process: ChildProcess, writeUrl: string, folder: string): Target {
  return {
    pid: process.pid as number,
    writeUrl,
    stop: async () => {
      const exited = new Promise((resolve) => process.once("exit", resolve));
      process.kill("SIGKILL");
      await exited;
      removeFolder(folder);
    },
  };
}
