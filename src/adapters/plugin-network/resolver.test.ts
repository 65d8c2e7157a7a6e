// Goal: a name server that answers late holds up nobody but those who asked it. Method: a resolver whose lookups the test
// ends, on a clock that it moves.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LOOKUP_MS_MAX, LOOKUP_SLOW_MEMORY_MS, LOOKUP_SLOW_MS } from "./limits.ts";
import { Resolver } from "./resolver.ts";

let begun: string[];
let answers: Map<string, (addresses: readonly string[]) => void>;
let resolver: Resolver;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  [begun, answers] = [[], new Map()];
  resolver = new Resolver((host) => new Promise((resolve) => void (begun.push(host), answers.set(host, resolve))));
});
afterEach(() => void vi.useRealTimers());

const answer = async (host: string): Promise<void> => {
  answers.get(host)?.(["192.0.2.1"]);
  await vi.advanceTimersByTimeAsync(0);
};
/** What became of it, once something has. */
const ask = (host: string, owner: string): { told?: unknown } => {
  const found: { told?: unknown } = {};
  resolver.resolve(host, owner).then((told) => (found.told = told), (error: Error) => (found.told = error.message));
  return found;
};

describe("names", () => {
  it("are looked up one after another while they are quick, and each once", async () => {
    const [first, same, second] = [ask("a", "t"), ask("a", "u"), ask("b", "t")];
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(["a"]);
    await answer("a");
    expect([begun, first.told, same.told]).toEqual([["a", "b"], ["192.0.2.1"], ["192.0.2.1"]]);
    await answer("b");
    expect(second.told).toEqual(["192.0.2.1"]);
  });

  it("that are slow leave a turn to those who have had none", async () => {
    const slow = ["s1", "s2", "s3"].map((host) => ask(host, "slow"));
    await vi.advanceTimersByTimeAsync(LOOKUP_SLOW_MS - 1);
    const quick = ask("q", "quick");
    expect(begun).toEqual(["s1"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(["s1", "q"]);
    await answer("q");
    expect([quick.told, begun]).toEqual([["192.0.2.1"], ["s1", "q"]]);
    ask("r", "quick");
    await vi.advanceTimersByTimeAsync(0);
    await answer("s1");
    await answer("r");
    expect(begun).toEqual(["s1", "q", "r", "s2"]);
    expect(slow.map(({ told }) => told)).toEqual([["192.0.2.1"], undefined, undefined]);
  });

  it("of whom was slow long ago are as good as others", async () => {
    ask("s", "slow");
    await vi.advanceTimersByTimeAsync(LOOKUP_SLOW_MS);
    await answer("s");
    await vi.advanceTimersByTimeAsync(LOOKUP_SLOW_MEMORY_MS);
    ask("stuck", "other");
    await vi.advanceTimersByTimeAsync(LOOKUP_SLOW_MS);
    ask("again", "slow");
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(["s", "stuck", "again"]);
  });

  it("that nobody waits for any more are not looked up", async () => {
    const asked = ["s1", "s2", "s3"].map((host) => ask(host, "slow"));
    await vi.advanceTimersByTimeAsync(LOOKUP_MS_MAX);
    expect(asked.map(({ told }) => told)).toEqual(Array.from({ length: 3 }, () => "Temporary failure in name resolution"));
    await answer("s1");
    expect(begun).toEqual(["s1"]);
    const again = ask("s2", "slow");
    await vi.advanceTimersByTimeAsync(0);
    await answer("s2");
    expect([begun, again.told]).toEqual([["s1", "s2"], ["192.0.2.1"]]);
  });
});
