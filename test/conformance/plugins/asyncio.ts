/** asyncio in plugins (docs/plugins.md, "asyncio"): the standard library's own loop. */
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listening, type LocalServer } from "../../support/network.ts";
import { createTrigger, evaluate, handler, raised, store } from "./harness.ts";

type Case = readonly [title: string, body: string, expression: string, value: unknown];

const COMMON = "import asyncio, json, threading, time\nasync def later(value, seconds=0.01):\n    await asyncio.sleep(seconds)\n    return value\n";

/** The same in CPython on other systems. */
const SAME_AS_CPYTHON: readonly Case[] = [
  ["run gives the coroutine's value", "out = asyncio.run(later(5))", "out", 5],
  ["run, twice", "out = [asyncio.run(later(1)), asyncio.run(later(2))]", "out", [1, 2]],
  ["run raises what the coroutine raised", "async def main(): raise KeyError('k')\ntry: asyncio.run(main())\nexcept KeyError as problem: out = str(problem)", "out", "'k'"],
  ["sleep takes its time", "begun = time.monotonic()\nasyncio.run(asyncio.sleep(0.05))", "time.monotonic() - begun >= 0.05", true],
  ["gather waits at the same time, and keeps the order", "async def main(): return await asyncio.gather(*[later(n, 0.2 - n * 0.02) for n in range(8)])\nbegun = time.monotonic()\nout = asyncio.run(main())", "[out, time.monotonic() - begun < 1]", [[0, 1, 2, 3, 4, 5, 6, 7], true]],
  ["gather with exceptions", "async def fail(): raise ValueError('x')\nasync def main(): return [type(r).__name__ for r in await asyncio.gather(later(1), fail(), return_exceptions=True)]\nout = asyncio.run(main())", "out", ["int", "ValueError"]],
  ["wait_for ends with TimeoutError", "try: asyncio.run(asyncio.wait_for(asyncio.sleep(60), 0.02))\nexcept TimeoutError: out = 'timeout'", "out", "timeout"],
  ["timeout()", "async def main():\n    async with asyncio.timeout(0.02): await asyncio.sleep(60)\ntry: asyncio.run(main())\nexcept TimeoutError: out = 'timeout'", "out", "timeout"],
  ["TaskGroup", "async def main():\n    async with asyncio.TaskGroup() as group: tasks = [group.create_task(later(n)) for n in range(3)]\n    return [t.result() for t in tasks]\nout = asyncio.run(main())", "out", [0, 1, 2]],
  ["a TaskGroup cancels the rest when one fails", "async def fail(): raise ValueError('x')\nasync def main():\n    try:\n        async with asyncio.TaskGroup() as group:\n            slow = group.create_task(asyncio.sleep(60))\n            group.create_task(fail())\n    except* ValueError as problem: out = [len(problem.exceptions), slow.cancelled()]\n    return out\nout = asyncio.run(main())", "out", [1, true]],
  ["cancel", "async def main():\n    task = asyncio.create_task(asyncio.sleep(60))\n    await asyncio.sleep(0)\n    task.cancel()\n    try: await task\n    except asyncio.CancelledError: return task.cancelled()\nout = asyncio.run(main())", "out", true],
  ["as_completed", "async def main(): return [await f for f in asyncio.as_completed([later(1, 0.1), later(2, 0.01)])]\nout = asyncio.run(main())", "out", [2, 1]],
  ["wait with FIRST_COMPLETED", "async def main():\n    done, rest = await asyncio.wait([asyncio.create_task(later(1)), asyncio.create_task(asyncio.sleep(60))], return_when=asyncio.FIRST_COMPLETED)\n    return [len(done), len(rest)]\nout = asyncio.run(main())", "out", [1, 1]],
  ["Queue with workers", "async def main():\n    q, out = asyncio.Queue(), []\n    async def work():\n        while True:\n            out.append(await q.get())\n            q.task_done()\n    tasks = [asyncio.create_task(work()) for _ in range(2)]\n    for n in range(4): q.put_nowait(n)\n    await q.join()\n    for t in tasks: t.cancel()\n    return sorted(out)\nout = asyncio.run(main())", "out", [0, 1, 2, 3]],
  ["Lock, Semaphore, Event, Condition", "async def main():\n    out, lock, event = [], asyncio.Lock(), asyncio.Event()\n    async def wait():\n        await event.wait()\n        async with lock, asyncio.Semaphore(1): out.append('woken')\n    task = asyncio.create_task(wait())\n    await asyncio.sleep(0)\n    event.set()\n    await task\n    return out\nout = asyncio.run(main())", "out", ["woken"]],
  ["async generators are closed at the end", "out = []\nasync def count():\n    try:\n        while True: yield 1\n    finally: out.append('closed')\nasync def main():\n    async for _ in count(): break\nasyncio.run(main())", "out", ["closed"]],
  ["to_thread", "async def main(): return await asyncio.to_thread(lambda: threading.current_thread() is threading.main_thread())\nout = asyncio.run(main())", "out", false],
  ["to_thread carries the context", "import contextvars\nv = contextvars.ContextVar('v')\nasync def main():\n    v.set('mine')\n    return await asyncio.to_thread(v.get)\nout = asyncio.run(main())", "out", "mine"],
  ["run_in_executor, with a pool of one's own", "from concurrent.futures import ThreadPoolExecutor\nasync def main():\n    loop = asyncio.get_running_loop()\n    with ThreadPoolExecutor(2) as pool: return await asyncio.gather(*[loop.run_in_executor(pool, pow, n, 2) for n in range(3)])\nout = asyncio.run(main())", "out", [0, 1, 4]],
  ["a thread runs a loop while another loop runs", "from concurrent.futures import ThreadPoolExecutor\nasync def main():\n    with ThreadPoolExecutor(1) as pool: return pool.submit(asyncio.run, later('inner')).result()\nout = asyncio.run(main())", "out", "inner"],
  ["run inside a running loop", "async def main():\n    inner = later(1)\n    try: asyncio.run(inner)\n    except RuntimeError as problem: return str(problem)\n    finally: inner.close()\nout = asyncio.run(main())", "out", "asyncio.run() cannot be called from a running event loop"],
  ["new_event_loop and run_until_complete", "loop = asyncio.new_event_loop()\nout = [loop.run_until_complete(later(n)) for n in range(2)]\nloop.close()", "[out, loop.is_closed()]", [[0, 1], true]],
  ["Runner", "with asyncio.Runner() as runner: out = [runner.run(later(1)), runner.run(later(2))]", "out", [1, 2]],
  ["call_later keeps the order of times", "async def main():\n    loop, out = asyncio.get_running_loop(), []\n    loop.call_later(0.03, out.append, 'late')\n    loop.call_later(0.01, out.append, 'early')\n    loop.call_soon(out.append, 'now')\n    await asyncio.sleep(0.06)\n    return out\nout = asyncio.run(main())", "out", ["now", "early", "late"]],
  ["a loop in a thread of its own", "loop = asyncio.new_event_loop()\nt = threading.Thread(target=loop.run_forever, daemon=True)\nt.start()\nout = [asyncio.run_coroutine_threadsafe(later(n), loop).result(20) for n in range(3)]\nalive = t.is_alive()\nloop.call_soon_threadsafe(loop.stop)\nt.join()\nloop.close()", "[out, alive, t.is_alive()]", [[0, 1, 2], true, false]],
  ["a loop in a thread goes on between calls", "loop = asyncio.new_event_loop()\nthreading.Thread(target=loop.run_forever, daemon=True).start()\nout = []\nasync def tick():\n    for n in range(3):\n        out.append(n)\n        await asyncio.sleep(0.01)\nasyncio.run_coroutine_threadsafe(tick(), loop)\nwhile len(out) < 3: time.sleep(0.01)\nloop.call_soon_threadsafe(loop.stop)", "out", [0, 1, 2]],
];

export function asyncioCases(): void {
  describe("docs/plugins.md, asyncio", () => {
    it.each(SAME_AS_CPYTHON)("%s", async (_, body, expression, value) => expect(await evaluate(`json.dumps(${expression})`, `${COMMON}${body}`)).toEqual(value));

    it("waiting for what never comes is an error, not a hang", async () => {
      expect(await raised("import asyncio\nasync def main(): await asyncio.Event().wait()\nasyncio.run(main())")).toMatch(/^RuntimeError: this would wait forever: /);
    });
    it("processes and signals are refused", async () => {
      expect(await raised("import asyncio\nasyncio.run(asyncio.create_subprocess_exec('true'))")).toMatch(/^OSError: .*does not support processes/);
      expect(await raised("import asyncio\nasync def main(): asyncio.get_running_loop().add_signal_handler(2, print)\nasyncio.run(main())")).toBe("NotImplementedError: there are no signals in a plugin");
    });
    it("every run begins without a current loop of an earlier one", async () => {
      const trigger = await createTrigger(await store(handler("import asyncio\nfresh = asyncio.get_event_loop_policy()._local._loop is None\nasyncio.set_event_loop(asyncio.new_event_loop())\nreturn str(fresh)")), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["True", "True"]);
      await trigger.remove();
    });
    it("a loop in the cache works in the next run, also one that a thread runs", async () => {
      const body = "import asyncio, threading\nasync def f(n): await asyncio.sleep(0.01); return n\npair = influxdb3_local.cache.get('loops')\nif pair is None:\n    pair = (asyncio.new_event_loop(), asyncio.new_event_loop())\n    influxdb3_local.cache.put('loops', pair)\n    threading.Thread(target=pair[1].run_forever, daemon=True).start()\nreturn [pair[0].run_until_complete(f(1)), asyncio.run_coroutine_threadsafe(f(2), pair[1]).result(20)]";
      const trigger = await createTrigger(await store(handler(body)), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["[1, 2]", "[1, 2]"]);
      await trigger.remove();
    });
  });
}

/** Threads and event loops over connections, to a server that answers a path after as many milliseconds as it says. */
export function concurrentNetworkCases(): void {
  describe("docs/plugins.md, asyncio and threads over the network", () => {
    let web: LocalServer;
    beforeAll(async () => {
      web = await listening(createServer((message, response) => void setTimeout(() => response.end(`after${message.url}`), Number(message.url?.slice(1)))));
    });
    afterAll(() => web.close());
    const get = (): string => `
import asyncio, threading, urllib.request
def fetch(ms): return urllib.request.urlopen(f"http://127.0.0.1:${web.port}/{ms}").read().decode()
async def get(ms):
    reader, writer = await asyncio.open_connection("127.0.0.1", ${web.port})
    writer.write(f"GET /{ms} HTTP/1.0\\r\\n\\r\\n".encode())
    await writer.drain()
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text.rsplit("\\n", 1)[-1]
`;
    it("streams read and write", async () => expect(await evaluate("[asyncio.run(get(0))]", get())).toEqual(["after/0"]));
    it("connections of one gather wait at the same time", async () => {
      const body = `${get()}import time\nasync def main(): return await asyncio.gather(*[get(400) for _ in range(10)])\nbegun = time.monotonic()\nout = asyncio.run(main())`;
      expect(await evaluate("[len(out), time.monotonic() - begun < 4]", body)).toEqual([10, true]);
    });
    it("a timeout ends the wait for an answer", async () => {
      const body = `${get()}async def main():\n    try: await asyncio.wait_for(get(20000), 0.1)\n    except TimeoutError: return "timeout"\nout = asyncio.run(main())`;
      expect(await evaluate("[out]", body)).toEqual(["timeout"]);
    });
    it("a fan-out over a pool of threads", async () => {
      const body = `${get()}from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool: out = list(pool.map(fetch, [3, 2, 1]))`;
      expect(await evaluate("out", body)).toEqual(["after/3", "after/2", "after/1"]);
    });
    it("blocking calls in to_thread, beside a loop that has connections", async () => {
      const body = `${get()}async def main(): return await asyncio.gather(get(20), asyncio.to_thread(fetch, 1), get(1))\nout = asyncio.run(main())`;
      expect(await evaluate("out", body)).toEqual(["after/20", "after/1", "after/1"]);
    });
    it("a loop in a thread of its own", async () => {
      const body = `${get()}loop = asyncio.new_event_loop()\nt = threading.Thread(target=loop.run_forever, daemon=True)\nt.start()\nout = [asyncio.run_coroutine_threadsafe(get(ms), loop).result(20) for ms in (5, 0)]\nloop.call_soon_threadsafe(loop.stop)\nt.join()`;
      expect(await evaluate("[out, t.is_alive()]", body)).toEqual([["after/5", "after/0"], false]);
    });
    it("what was sent and left runs before the run ends", async () => {
      const trigger = await createTrigger(await store(handler(`${get()}threading.Thread(target=lambda: influxdb3_local.info(fetch(1))).start()\nreturn "sent"`)), "request");
      expect([(await trigger.get()).body, await trigger.said()]).toEqual(["sent", ["INFO after/1"]]);
      await trigger.remove();
    });
  });
}
