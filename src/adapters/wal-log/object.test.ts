// Goal: a commit to an object store counts exactly once or never, whatever is lost on the way, and only while this process
// owns the log. Method: stores in memory that fail, lose answers or hold another process's objects; a virtual clock.
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../core/errors/database-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import { flushPromises, VirtualClock } from "../../testing/virtual-clock.ts";
import { WAL_LOG_CONTRACT } from "../../testing/wal-log-contract.ts";
import { OBJECT_RETRY_MS } from "./limits.ts";
import { createObjectWalLog } from "./object.ts";

const PREFIX = "n0/wal/";
const pathOf = (file: number): string => `${PREFIX}${String(file).padStart(11, "0")}.wal`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const unavailable = (): DatabaseError => new DatabaseError("object_store.unavailable", { message: "down" });
const superseded = (): DatabaseError => new DatabaseError("node.superseded", { message: "taken over" });

interface World {
  readonly objects: Map<string, Uint8Array>;
  readonly clock: VirtualClock;
  readonly log: WalLog;
  readonly calls: string[];
  /** What happens to a call, by its name, instead of or after its effect. */
  fault: (call: string) => "before" | "after" | undefined;
  confirm: () => Promise<void>;
}

function world(objects = new Map<string, Uint8Array>()): World {
  const clock = new VirtualClock();
  const run = async <T>(call: string, effect: () => T): Promise<T> => {
    made.calls.push(call);
    const fault = made.fault(call);
    if (fault === "before") throw unavailable();
    const value = effect();
    if (fault === "after") throw unavailable();
    return value;
  };
  const store: ObjectStore = {
    get: (path) => run(`get ${path}`, () => objects.get(path)?.slice()),
    put: (path, content, options) =>
      run(`put ${path}`, () => {
        if (options?.ifAbsent === true && objects.has(path)) throw new DatabaseError("object_store.exists", { message: "exists" });
        objects.set(path, content.slice());
      }),
    list: (prefix) => run(`list ${prefix}`, () => [...objects.keys()].filter((path) => path.startsWith(prefix)).sort()),
    delete: (path) => run(`delete ${path}`, () => void objects.delete(path)),
  };
  const log = createObjectWalLog({ store, prefix: PREFIX, clock, log: { log: () => undefined }, random: () => 0.5, confirm: () => made.confirm(), supersede: superseded });
  const made: World = { objects, clock, log, calls: [], fault: () => undefined, confirm: async () => undefined };
  return made;
}

/** Fails the first `times` calls of a name that begins so. */
function failing(at: World, name: string, mode: "before" | "after", times: number): void {
  let left = times;
  at.fault = (call) => (call.startsWith(name) && left-- > 0 ? mode : undefined);
}

describe("the object WAL log", () => {
  it.each(WAL_LOG_CONTRACT)("$name", ({ check }) => check(world().log));

  it.each([["before", 5], ["after", 5], ["after", 1]] as const)("a put that fails %s its effect %i times is stored once, and counts only then", async (mode, times) => {
    const at = world();
    failing(at, "put", mode, times);
    let isDone = false;
    const appended = at.log.append(1, [bytes("a"), bytes("b")]).then(() => (isDone = true));
    await flushPromises();
    expect(isDone).toBe(false);
    await at.clock.advance(times * OBJECT_RETRY_MS, flushPromises);
    await appended;
    expect([...at.objects].map(([path, content]) => [path, new TextDecoder().decode(content)])).toEqual([[pathOf(1), "ab"]]);
  });

  it("an object of another process ends all writing, and stays as it is", async () => {
    const at = world();
    at.objects.set(pathOf(1), bytes("theirs"));
    await expect(at.log.append(1, [bytes("mine")])).rejects.toMatchObject({ code: "node.superseded" });
    expect(new TextDecoder().decode(at.objects.get(pathOf(1)))).toBe("theirs");
  });

  it("counts only once the claim is confirmed, however long that takes", async () => {
    const at = world();
    let asked = 0;
    at.confirm = async () => {
      if (++asked < 4) throw unavailable();
    };
    const appended = at.log.append(1, [bytes("a")]);
    await at.clock.advance(3 * OBJECT_RETRY_MS, flushPromises);
    await appended;
    // Three failures, then once before the object and once after it.
    expect(asked).toBe(5);
    at.confirm = async () => {
      throw superseded();
    };
    await expect(at.log.append(2, [bytes("b")])).rejects.toMatchObject({ code: "node.superseded" });
  });

  it("is given up when the server stops while the store is down", async () => {
    const at = world();
    at.fault = () => "before";
    const appended = at.log.append(1, [bytes("a")]);
    await flushPromises();
    at.log.abandon?.();
    await expect(appended).rejects.toMatchObject({ code: "wal.closed" });
    expect(at.clock.timerCount).toBe(0);
    await expect(at.log.append(2, [bytes("b")])).rejects.toMatchObject({ code: "wal.closed" });
  });

  it("begins with an empty file after all others, which stops an older process", async () => {
    const objects = new Map<string, Uint8Array>();
    const [older, newer] = [world(objects), world(objects)];
    await older.log.begin?.(1);
    await older.log.append(2, [bytes("a")]);
    await newer.log.begin?.(1);
    expect([...objects.keys()]).toEqual([1, 2, 3].map(pathOf));
    await expect(older.log.append(3, [bytes("b")])).rejects.toMatchObject({ code: "node.superseded" });
    // Its own commit may come first; then the newer one begins after it.
    const racing = world(objects);
    let first = true;
    racing.fault = (call) => {
      if (first && call.startsWith("put")) objects.set(pathOf(4), bytes("c"));
      first = first && !call.startsWith("put");
      return undefined;
    };
    await racing.log.begin?.(1);
    expect([...objects.keys()]).toEqual([1, 2, 3, 4, 5].map(pathOf));
    const empty = world();
    await empty.log.begin?.(41);
    expect([...empty.objects.keys()]).toEqual([pathOf(41)]);
  });

  it("reads ahead while it is replayed, and each object once", async () => {
    const at = world();
    for (let file = 1; file <= 20; file++) at.objects.set(pathOf(file), bytes(String(file)));
    const files = await at.log.list();
    await at.log.read(files[0] as number);
    expect(at.calls.filter((call) => call.startsWith("get")).length).toBe(8);
    for (const file of files.slice(1)) expect(new TextDecoder().decode(await at.log.read(file))).toBe(String(file));
    expect(at.calls.filter((call) => call.startsWith("get")).length).toBe(20);
    await at.log.read(3);
    expect(at.calls.filter((call) => call.startsWith("get")).length).toBe(21);
  });

  it("deletes in the background, in order, and goes on after a failure", async () => {
    const at = world();
    for (const file of [1, 2, 3, 4]) await at.log.append(file, [bytes("a")]);
    failing(at, `delete ${pathOf(2)}`, "before", 1);
    for (const file of [1, 2, 3]) await at.log.delete(file);
    await flushPromises();
    expect([...at.objects.keys()]).toEqual([2, 3, 4].map(pathOf));
    await at.log.delete(4);
    await flushPromises();
    expect([...at.objects.keys()]).toEqual([]);
  });
});
