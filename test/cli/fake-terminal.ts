/** A terminal that remembers what was printed; its HTTP goes straight into the real app with fake services. */
import { gzipSync } from "node:zlib";
import { createApp } from "../../src/http/app.ts";
import { run } from "../../src/cli/run.ts";
import type { HttpRequest, HttpResponse, Terminal } from "../../src/cli/terminal.ts";
import { fakeWorld, type FakeWorld } from "../conformance/http/fake-services.ts";

export interface Session {
  readonly world: FakeWorld;
  readonly requests: HttpRequest[];
  readonly files: Map<string, string>;
  readonly env: Record<string, string>;
  stdin: string | undefined;
  isTerminal: boolean;
  /** Thrown by every request. */
  networkFailure: unknown;
  /** Requests go to a real server, by their URL. */
  readonly server?: boolean;
}

export function session(): Session {
  return {
    world: fakeWorld(),
    requests: [],
    files: new Map(),
    env: {},
    stdin: undefined,
    isTerminal: false,
    networkFailure: undefined,
  };
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line; words are split at blanks, quotes keep them together. */
export async function influxdb3(line: string, on: Session = session()): Promise<Outcome> {
  const out: (string | Uint8Array)[] = [];
  let stderr = "";
  const terminal = fakeTerminal(on, (data) => out.push(data), (text) => (stderr += text));
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  const status = await run(words, terminal);
  return { status, stdout: Buffer.concat(out.map((part) => Buffer.from(part))).toString(), stderr };
}

function fakeTerminal(on: Session, print: (data: string | Uint8Array) => void, complain: (text: string) => void): Terminal {
  return {
    stdoutIsTerminal: on.isTerminal,
    stderrIsTerminal: on.isTerminal,
    stdinIsTerminal: on.stdin === undefined || on.isTerminal,
    homeDir: "/home/u",
    workDir: "/here",
    hostName: "box",
    env: (name) => on.env[name],
    stdout: (data) => Promise.resolve(print(data)),
    stderr: complain,
    readStdin: () => Promise.resolve(new TextEncoder().encode(on.stdin)),
    readLine: () => Promise.resolve(on.stdin?.split("\n")[0]),
    readFile: (path) => {
      const text = on.files.get(path);
      return text === undefined ? Promise.reject(new Error(`no such file: ${path}`)) : Promise.resolve(new TextEncoder().encode(text));
    },
    openFile: (path) => {
      on.files.set(path, "");
      return Promise.resolve({
        write: (bytes) => Promise.resolve(void on.files.set(path, `${on.files.get(path) ?? ""}${new TextDecoder().decode(bytes)}`)),
        close: () => Promise.resolve(),
      });
    },
    writeSecretFile: (path, text) => Promise.resolve(void on.files.set(path, text)),
    randomBytes: (size) => new Uint8Array(size).fill(7),
    fileKind: (path) => {
      if (on.files.has(path)) return Promise.resolve("file");
      return Promise.resolve([...on.files.keys()].some((file) => file.startsWith(`${path}/`)) ? "folder" : undefined);
    },
    listFiles: (folder) => Promise.resolve([...on.files.keys()].filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)).sort()),
    resolvePath: (path) => (path.startsWith("/") ? path : `/here/${path.replace(/^\.\//, "")}`),
    gzip: (bytes) => Promise.resolve(gzipSync(bytes)),
    http: (request) => exchange(on, request),
    nowMs: () => 1_000,
    epochMs: () => 1_700_000_000_000,
    onStopSignal: () => undefined,
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
    after: () => undefined,
    pause: () => Promise.resolve(),
  };
}

async function exchange(on: Session, request: HttpRequest): Promise<HttpResponse> {
  on.requests.push(request);
  if (on.networkFailure !== undefined) throw on.networkFailure as Error;
  const init = { method: request.method, headers: request.headers, ...(request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit["body"]> }) };
  const response = await (on.server === true ? fetch(request.url, init) : createApp(on.world.services, on.world.options).request(request.url, init));
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: (async function* () {
      yield new Uint8Array(await response.arrayBuffer());
    })(),
  };
}
