// Load for the ingest workload: bodies over a few connections, and what the server's process spent on them. Linux only.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

/** A server to be loaded. */
export interface Target {
  readonly pid: number;
  /** Where bodies are posted. */
  readonly writeUrl: string;
  stop(): Promise<void>;
}

export interface Load {
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** Of each body, in ms. */
  readonly latencies: readonly number[];
}

const CONNECTIONS = 4;
/** The kernel counts process times in hundredths of a second. */
const TICKS_PER_SECOND = 100;
const QUIET_MS = 500;
const QUIET_CPU_SECONDS = 0.02;
const QUIET_ROUNDS_MAX = 40;

/** User and system time of all threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export const peakBytes = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;

/** Waits until the process is idle: what it does in the background after a start is not ingest's. */
export async function settled(pid: number): Promise<void> {
  let before = -1;
  for (let round = 0; round < QUIET_ROUNDS_MAX; round++) {
    const now = cpuSeconds(pid);
    if (now - before <= QUIET_CPU_SECONDS) return;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

async function send(agent: Agent, url: string, body: Uint8Array, gzip: boolean): Promise<void> {
  const outgoing = request(url, { method: "POST", agent, headers: { "content-length": body.length, ...(gzip ? { "content-encoding": "gzip" } : {}) } });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  let text = "";
  for await (const part of answer) text += String(part);
  if (answer.statusCode !== 204) throw new Error(`${url}: ${answer.statusCode} ${text}`);
}

/** Sends all bodies over the connections; each sends its next one when the last is answered. */
export async function sendAll(target: Target, bodies: readonly Uint8Array[], gzip: boolean): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const latencies: number[] = [];
  let next = 0;
  const connection = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const started = performance.now();
      await send(agent, target.writeUrl, body, gzip);
      latencies.push(performance.now() - started);
    }
  };
  const before = cpuSeconds(target.pid);
  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { cpuSeconds: cpuSeconds(target.pid) - before, seconds, latencies };
}
