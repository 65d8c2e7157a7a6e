// Goal: limits hold inside threads and event loops, and a run that was stopped there leaves nothing behind. Method: one
// instance on the real interpreter, stopped in the middle by its time limit, then run again.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PluginInstance, PluginRuntime, RunOutcome } from "../../src/ports/plugin-runtime.ts";
import { MEBIBYTE, RecordingHost, createTestRuntime, scheduled, summary } from "./fixture.ts";

let runtime: PluginRuntime;
beforeAll(async () => {
  // Soft stops only: what is looked at afterwards is the same interpreter, not a fresh one.
  runtime = createTestRuntime({ hardStopGraceMs: 10_000 });
  await runtime.start();
}, 60_000);
afterAll(() => runtime.close());

const newInstance = (): PluginInstance => runtime.createInstance("threads", { memoryBytesMax: 128 * MEBIBYTE });

async function run(instance: PluginInstance, body: string, wallTimeMsMax = 20_000): Promise<{ outcome: RunOutcome; logged: string[]; printed: string }> {
  const host = new RecordingHost();
  const outcome = await instance.run(scheduled(body), host, { wallTimeMsMax });
  return { outcome, logged: host.logged, printed: host.printed.join("\n") };
}

const LOOK = `
import asyncio, threading
async def later():
    await asyncio.sleep(0.001)
    return 5
influxdb3_local.info([t.name for t in threading.enumerate()], threading.current_thread() is threading.main_thread())
influxdb3_local.info(asyncio.run(later()))
ran = []
t = threading.Thread(target=ran.append, args=(1,))
t.start()
t.join()
influxdb3_local.info(ran)`;

describe("a run that its time limit stops", () => {
  test.each([
    ["in a thread that computes", "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=print, args=('leaked',), daemon=True)\nt = threading.Thread(target=spin)\nt.start()\nthreading.Thread(target=print, args=('leaked',)).start()\nt.join()"],
    ["in a thread that sleeps, after the entry point returned", "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nthreading.Thread(target=print, args=('leaked',)).start()"],
    ["in a pool's call", "import time\nfrom concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool: list(pool.map(time.sleep, [60, 60]))"],
    ["in a sleeping event loop", "import asyncio\nasyncio.run(asyncio.sleep(60))"],
    ["in a coroutine that computes", "import asyncio\nasync def main():\n    while True: await asyncio.sleep(0)\nasyncio.run(main())"],
    ["in an event loop of a thread", "import asyncio, threading\nt = threading.Thread(target=asyncio.run, args=(asyncio.sleep(60),))\nt.start()\nt.join()"],
    ["while it waits for a lock", "import threading\nl = threading.Lock()\nl.acquire()\nl.acquire(timeout=60)"],
  ])("%s leaves nothing to the next", async (_, body) => {
    const instance = newInstance();
    const stopped = await run(instance, body, 300);
    expect(summary(stopped.outcome)).toBe("stopped soft time-limit");
    const next = await run(instance, LOOK);
    expect(summary(next.outcome)).toBe("done");
    expect(next.logged).toEqual(["info: ['MainThread'] True", "info: 5", "info: [1]"]);
    expect(stopped.printed + next.printed).not.toContain("leaked");
  });

  test("frees the locks that it held, and loops that it ran", async () => {
    const instance = newInstance();
    const hold = `
import asyncio, threading
kept = (threading.Lock(), threading.RLock(), asyncio.new_event_loop())
influxdb3_local.cache.put("kept", kept)
def spin():
    kept[0].acquire()
    kept[1].acquire()
    kept[2].run_until_complete(asyncio.sleep(60))
t = threading.Thread(target=spin)
t.start()
t.join()`;
    expect(summary((await run(instance, hold, 300)).outcome)).toBe("stopped soft time-limit");
    const look = `
import asyncio
lock, rlock, loop = influxdb3_local.cache.get("kept")
influxdb3_local.info(lock.acquire(blocking=False), rlock.acquire(blocking=False), loop.run_until_complete(asyncio.sleep(0, "on")))`;
    expect((await run(instance, look)).logged).toEqual(["info: True True on"]);
  });
});

describe("a daemon thread that never ends", () => {
  test("is ended when it holds up the run for longer than its patience, and the log says so", async () => {
    // 60 s: longer than any patience, so that nothing has to be waited for.
    const body = "import threading\nthreading.Thread(target=threading.Event().wait, args=(60,), daemon=True, name='beat').start()";
    const { outcome, printed } = await run(newInstance(), body);
    expect(summary(outcome)).toBe("done");
    expect(printed).toContain('the thread "beat" was ended, because it would hold up another one for more than 5 s');
  });
});

describe("limits of threads", () => {
  test("memory: MemoryError of a thread fails the run", async () => {
    const { outcome } = await run(newInstance(), "import threading\ndef eat():\n    held = []\n    while True: held.append(bytearray(1_000_000))\nt = threading.Thread(target=eat)\nt.start()\nt.join()");
    expect(summary(outcome)).toBe("raised MemoryError");
  });

  test("how many wait for their turn", async () => {
    const { outcome, printed } = await run(newInstance(), "import _thread\ntry:\n    while True: _thread.start_new_thread(int, ())\nexcept RuntimeError as problem: print(problem)");
    expect([summary(outcome), printed]).toEqual(["done", "can't start new thread: 65536 are waiting for their turn"]);
  });
});
