// Goal: a plugin that calls its own server while it runs is served where it can be, and told at once where it would wait
// for itself (design §8.10). Method: the real HTTP app, engine and queues; the script of the sandbox plays what the host
// does for a plugin that makes a request: it puts the run's id on it.
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/http/app.ts";
import type { EdgeOptions } from "../../src/http/route.ts";
import type { Services } from "../../src/http/services.ts";
import type { RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { newDisk, openStorage, request } from "../support/open-storage.ts";
import { createTrigger, scriptedEngine, type Script } from "../support/processing.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

const text = (body: string, status = 200): RunOutcome => ({ kind: "done", writes: [], response: { status, headers: [], body: new TextEncoder().encode(body) } });

async function open(plugins: Readonly<Record<string, (call: (path: string) => Promise<Answer>, headers: readonly (readonly [string, string])[]) => Promise<string>>>) {
  const opened = await openStorage(newDisk());
  await opened.storage.write(request("m f=1 1"));
  const script: Script = async ({ code, event }, _host, { runId }) => {
    const plugin = plugins[code.fileName];
    const headers = event.kind === "request" ? event.headers : [];
    return text((await plugin?.((path) => send(path, runId), headers)) ?? "");
  };
  const { engine } = scriptedEngine(opened, script);
  const options = { bodySizeMax: 1_000, newRequestId: () => "r", processId: "p", log: { log: () => undefined }, monotonicMs: () => 0, localCallersOnly: false } as unknown as EdgeOptions;
  const app = createApp({ processing: engine, clusterUuid: "c" } as unknown as Services, options);
  const send = async (path: string, runId?: string): Promise<Answer> => {
    const answer = await app.request(`/api/v3/engine/${path}`, { headers: runId === undefined ? {} : { "tidemark-run": runId } });
    return { status: answer.status, text: await answer.text() };
  };
  const create = (name: string, more: { readonly runAsync?: boolean } = {}): Promise<void> =>
    engine.createTrigger({ database: "db", triggerName: name, pluginFileName: name, specification: `request:${name}`, arguments: undefined, runAsync: false, errorBehavior: "log", disabled: false, ...more });
  return { send, create, engine };
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

  it("the header does not reach the plugin, and an unknown run is nobody's", async () => {
    const seen: string[] = [];
    const { send, create } = await open({
      look: async (_call, headers) => {
        seen.push(...headers.map(([name]) => name));
        return "ok";
      },
    });
    await create("look");
    expect((await send("look", "made-up")).status).toBe(200);
    expect(seen).not.toContain("tidemark-run");
  });
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
