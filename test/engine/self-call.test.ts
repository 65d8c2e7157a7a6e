// Goal: a plugin that calls its own server while it runs is served where it can be, and told at once where it would wait
// for itself (design §8.10). Method: the real HTTP app behind the real server and the real network; the script of the sandbox
// speaks HTTP over the connections that its run opens, as a plugin does.
import { get } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { listenOnNode } from "../../src/adapters/http-node/server.ts";
import { createNodeNetwork } from "../../src/adapters/plugin-network/node-network.ts";
import { PROFILES } from "../../src/core/trigger/grants.ts";
import { createApp } from "../../src/http/app.ts";
import type { EdgeOptions } from "../../src/http/route.ts";
import type { Services } from "../../src/http/services.ts";
import type { HttpListener } from "../../src/ports/http-listener.ts";
import type { NetworkCalls, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { newDisk, openStorage, request } from "../support/open-storage.ts";
import { createTrigger, scriptedEngine, type Script } from "../support/processing.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** `call`: asks this server, over one connection as long as both sides keep it. */
type Plugin = (call: (path: string) => Promise<Answer>, network: NetworkCalls, port: number) => Promise<string>;

const text = (body: string, status = 200): RunOutcome => ({ kind: "done", writes: [], response: { status, headers: [], body: new TextEncoder().encode(body) } });
const listeners: HttpListener[] = [];

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function open(plugins: Readonly<Record<string, Plugin>>, arrived: (request: Request, isPlugin: boolean) => void = () => undefined) {
  const opened = await openStorage(newDisk());
  await opened.storage.write(request("m f=1 1"));
  const own = { port: 0 };
  const script: Script = async ({ code }, { network }) => text((await plugins[code.fileName]?.(caller(network, own.port), network, own.port)) ?? "");
  const access = { grants: { ...PROFILES.strict, net: ["self"] }, environment: () => undefined, isSelf: (host: string, port: number) => host === "127.0.0.1" && port === own.port, isClosed: () => false, systemMetrics: () => "{}" };
  const { engine } = scriptedEngine(opened, script, { network: createNodeNetwork(), access });
  const options = { bodySizeMax: 1_000, newRequestId: () => "r", processId: "p", log: { log: () => undefined }, monotonicMs: () => 0, localCallersOnly: false } as unknown as EdgeOptions;
  const app = createApp({ processing: engine, clusterUuid: "c" } as unknown as Services, options);
  const listener = await listenOnNode({ host: "127.0.0.1", port: 0, bodySizeMax: 1_000, fetch: (asked, peer) => (arrived(asked, engine.isPlugin(peer())), app.fetch(asked, { peer })) });
  listeners.push(listener);
  own.port = listener.port;
  const create = (name: string, more: { readonly runAsync?: boolean } = {}): Promise<void> =>
    engine.createTrigger({ database: "db", triggerName: name, pluginFileName: name, specification: `request:${name}`, arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false, ...more });
  return { send: (path: string) => ask(listener.port, path), create, engine };
}

/** Somebody who is no plugin. */
const ask = (port: number, path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: `/api/v3/engine/${path}`, agent: false }, (response) => {
      let body = "";
      response.on("data", (bytes) => (body += String(bytes))).on("end", () => resolve({ status: response.statusCode ?? 0, text: body }));
    }).on("error", reject);
  });

function caller(network: NetworkCalls, port: number): (path: string) => Promise<Answer> {
  let connection: number | undefined;
  return async (path) => {
    connection ??= network.open("127.0.0.1", port);
    const head = Buffer.from(`GET /api/v3/engine/${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    expect(await network.send(connection, head, undefined)).toBe(head.length);
    let answer = "";
    for (;;) {
      const [, status, size, body = ""] = /^HTTP\/1.1 (\d+)[^]*?content-length: (\d+)[^]*?\r\n\r\n([^]*)$/i.exec(answer) ?? [];
      if (size !== undefined && body.length >= Number(size)) return { status: Number(status), text: body };
      const bytes = await network.receive(connection, 65_536, undefined);
      if (bytes === undefined || bytes.length === 0) return { status: 0, text: answer };
      answer += Buffer.from(bytes).toString();
    }
  };
}

describe("a plugin's request to its own server", () => {
  it("is served by another trigger, and by itself when its runs may overlap", async () => {
    let depth = 0;
    const { send, create } = await open({
      outer: async (call) => `outer(${(await call("inner")).text})`,
      inner: async () => "inner",
      again: async (call) => (depth++ < 3 ? `again(${(await call("again")).text})` : "end"),
    });
    await create("outer");
    await create("inner");
    await create("again", { runAsync: true });
    expect(await send("outer")).toEqual({ status: 200, text: "outer(inner)" });
    expect(await send("again")).toEqual({ status: 200, text: "again(again(again(end)))" });
  });

  it("gets 503 with a hint at once when it would wait for its own run, directly or around", async () => {
    const answers: Answer[] = [];
    const { send, create } = await open({
      self: async (call) => (answers.push(await call("self")), "done"),
      left: async (call) => (await call("right")).text,
      right: async (call) => (answers.push(await call("left")), "right"),
    });
    for (const name of ["self", "left", "right"]) await create(name);
    expect(await send("self")).toEqual({ status: 200, text: "done" });
    expect(await send("left")).toEqual({ status: 200, text: "right" });
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect(answers[0]?.text).toContain("Trigger 'self' is busy with the run that makes this request");
    expect(answers[0]?.text).toContain("--run-asynchronous");
  });

  it("two runs that call each other's trigger at the same time both end", async () => {
    let meet: (() => void) | undefined;
    const both = new Promise<void>((resolve) => (meet = resolve));
    let arrived = 0;
    const arrive = async (): Promise<void> => {
      if (++arrived === 2) meet?.();
      await both;
    };
    const call = (other: string) => async (send: (path: string) => Promise<Answer>): Promise<string> => {
      if (arrived < 2) await arrive();
      else return "served";
      return String((await send(other)).status);
    };
    const { send, create } = await open({ left: call("right"), right: call("left") });
    await create("left");
    await create("right");
    const texts = (await Promise.all([send("left"), send("right")])).map((answer) => answer.text).sort();
    expect(texts).toEqual(["200", "503"]);
  });

  it("ends chains that go on for ever, and waits where somebody else is in front", async () => {
    const chain: number[] = [];
    const { send, create } = await open({
      endless: async (call) => {
        const { status } = await call("endless");
        chain.push(status);
        return "x";
      },
      user: async (call) => (await call("shared")).text,
      shared: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return "shared";
      },
    });
    await create("endless", { runAsync: true });
    await create("user");
    await create("shared");
    await send("endless");
    expect(chain[0]).toBe(503);
    expect(chain.slice(1).every((status) => status === 200)).toBe(true);
    expect(chain).toHaveLength(8);
    const answers = await Promise.all([send("shared"), send("user"), send("shared")]);
    expect(answers.map((answer) => answer.text)).toEqual(["shared", "shared", "shared"]);
  });

  it("is the run's own on a connection that is kept, and nobody's when a stranger asks", async () => {
    const answers: Answer[] = [];
    let stranger: Promise<Answer> | undefined;
    const { send, create } = await open({
      self: async (call) => {
        if (stranger !== undefined) return "stranger";
        for (const path of ["inner", "self", "inner", "self"]) answers.push(await call(path));
        stranger = send("self");
        return "done";
      },
      inner: async () => "inner",
    });
    await create("self");
    await create("inner");
    expect((await send("self")).text).toBe("done");
    expect(answers.map(({ status }) => status)).toEqual([200, 503, 200, 503]);
    expect(await stranger).toEqual({ status: 200, text: "stranger" });
  });
});

it("a request that a plugin sends and leaves at once is still the plugin's when the server reads it", async () => {
  const seen: [string, boolean][] = [];
  let tell = (): void => undefined;
  const both = new Promise<void>((resolve) => (tell = resolve));
  const leave: Plugin = async (_call, network, port) => {
    const connection = network.open("127.0.0.1", port);
    await network.send(connection, Buffer.from("GET /api/v3/engine/inner HTTP/1.1\r\nhost: localhost\r\n\r\n"), undefined);
    network.close(connection, "all");
    return "left";
  };
  const { send, create } = await open({ leave, inner: async () => "inner" }, (request, isPlugin) => {
    seen.push([new URL(request.url).pathname.slice("/api/v3/engine/".length), isPlugin]);
    if (seen.length === 2) tell();
  });
  await create("leave");
  await create("inner");
  expect(await send("leave")).toEqual({ status: 200, text: "left" });
  await both;
  expect(seen).toEqual([["leave", false], ["inner", true]]);
});

describe("a busy trigger", () => {
  it("is disabled, changed and deleted at once, and holds nobody up", async () => {
    const opened = await openStorage(newDisk());
    await opened.storage.write(request("m f=1 1"));
    let runs = 0;
    const { engine } = scriptedEngine(opened, async (_invocation, _host, { signal }) => {
      runs += 1;
      await new Promise<void>((resolve) => (signal?.aborted === true ? resolve() : signal?.addEventListener("abort", () => resolve())));
      return { kind: "stopped", reason: "cancelled", level: "soft", cacheKeysLost: 0 };
    });
    await createTrigger(engine, "busy", "table:m");
    const fire = async (): Promise<void> => {
      await opened.storage.write(request(`m f=${runs} ${runs + 2}`));
      await opened.clock.advance(1_000);
    };
    await fire();
    expect(engine.statistics()[0]?.counters.running).toBe(1);
    await engine.updateTrigger({ database: "db", triggerName: "busy", specification: "all_tables", limits: {}, grants: {} });
    await fire();
    expect(runs).toBe(2);
    expect(opened.catalog.state.databases.get("db")?.triggers.get("busy")?.specification).toBe("all_tables");
    // A schema change while it runs does not wait for it.
    await opened.storage.write(request("fresh f=1 1"));
    await engine.setTriggerEnabled("db", "busy", false);
    expect(engine.statistics()).toEqual([]);
    await engine.setTriggerEnabled("db", "busy", true);
    await fire();
    expect(runs).toBe(3);
    await expect(engine.deleteTrigger("db", "busy", false)).rejects.toThrow("Cannot delete running plugin busy");
    await engine.deleteTrigger("db", "busy", true);
    expect(engine.statistics()).toEqual([]);
  });
});
