/** Threads and pools of threads in plugins (docs/plugins.md, "Threads"): what the library's documentation promises, as far as it can
 * be kept where threads run one after another, and clear errors for the rest. */
import { describe, expect, it } from "vitest";
import { createTrigger, evaluate, handler, raised, request, store, wal } from "./harness.ts";

type Case = readonly [title: string, body: string, expression: string, value: unknown];

/** The same in CPython with real threads; the titles name the page of its library reference. */
const SAME_AS_CPYTHON: readonly Case[] = [
  ["threading: start and join, results in a list", "import threading\nout = []\nts = [threading.Thread(target=lambda n=n: out.append(n * n)) for n in range(4)]\nfor t in ts: t.start()\nfor t in ts: t.join()", "sorted(out)", [0, 1, 4, 9]],
  ["threading: args, kwargs, name, daemon, ident", "import threading\nout = []\ndef f(a, b=0): out.append([a, b, threading.current_thread().name, threading.get_ident() == t.ident, threading.get_ident() != threading.main_thread().ident])\nt = threading.Thread(target=f, args=(1,), kwargs={'b': 2}, name='reader', daemon=True)\nt.start()\nt.join()", "[out, t.daemon, t.is_alive()]", [[[1, 2, "reader", true, true]], true, false]],
  ["threading: a subclass with run()", "import threading\nclass Reader(threading.Thread):\n    def run(self): self.value = 7\nr = Reader()\nr.start()\nr.join()", "r.value", 7],
  ["threading: a thread starts once", "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()\ntry: t.start()\nexcept RuntimeError as problem: said = str(problem)", "said", "threads can only be started once"],
  ["threading: join before start", "import threading\ntry: threading.Thread(target=int).join()\nexcept RuntimeError as problem: said = str(problem)", "said", "cannot join thread before it is started"],
  ["threading: local attributes are separate, also of a subclass with __init__", "import threading\nclass Own(threading.local):\n    def __init__(self, n): self.n = n\nplain, own, out = threading.local(), Own(5), []\nplain.x = 1\nown.n += 1\ndef f():\n    out.append([hasattr(plain, 'x'), own.n])\n    plain.x, own.n = 2, 9\nt = threading.Thread(target=f)\nt.start()\nt.join()", "[out, plain.x, own.n]", [[[false, 5]], 1, 6]],
  ["threading: an Event that another thread sets", "import threading\ngo = threading.Event()\nt = threading.Thread(target=go.set)\nt.start()", "[go.wait(5), go.is_set()]", [true, true]],
  ["threading: a thread that waits for the main one", "import threading\ngo, out = threading.Event(), []\nt = threading.Thread(target=lambda: out.append(go.wait()))\nt.start()\ngo.set()\nt.join()", "out", [true]],
  ["threading: a loop until told to stop", "import threading, time\nstop = threading.Event()\ndef beat():\n    while not stop.is_set(): time.sleep(0.01)\nt = threading.Thread(target=beat)\nt.start()\nstop.set()\nt.join()", "t.is_alive()", false],
  ["threading: polling with time.sleep", "import threading, time\nout = []\nt = threading.Thread(target=lambda: out.append(1))\nt.start()\nwhile t.is_alive(): time.sleep(0.01)", "out", [1]],
  ["threading: Barrier lets all pass", "import threading\nout, gate = [], threading.Barrier(3)\ndef f():\n    gate.wait()\n    out.append(1)\nts = [threading.Thread(target=f) for _ in range(3)]\nfor t in ts: t.start()\nfor t in ts: t.join()", "out", [1, 1, 1]],
  ["threading: Lock, RLock and Semaphore", "import threading\nl, r, s = threading.Lock(), threading.RLock(), threading.Semaphore(1)\nwith l: held = [l.locked(), l.acquire(blocking=False)]\nwith r, r: again = r.acquire()\nr.release()\nwith s: more = s.acquire(blocking=False)", "[held, l.locked(), again, more]", [[true, false], false, true, false]],
  ["threading: what is released must be held", "import threading\nsaid = []\nfor l in (threading.Lock(), threading.RLock()):\n    try: l.release()\n    except RuntimeError as problem: said.append(str(problem))", "said", ["release unlocked lock", "cannot release un-acquired lock"]],
  ["threading: an RLock belongs to its thread", "import threading\nr, out = threading.RLock(), []\nwith r:\n    t = threading.Thread(target=lambda: out.append(r.acquire(blocking=False)))\n    t.start()\n    t.join()", "out", [false]],
  ["threading: waits end with their timeouts", "import queue, threading, time\nbegun = time.monotonic()\nl = threading.Lock()\nl.acquire()\nout = [threading.Event().wait(0.02), l.acquire(timeout=0.02)]\ntry: queue.Queue().get(timeout=0.02)\nexcept queue.Empty: out.append('empty')", "[out, time.monotonic() - begun >= 0.06]", [[false, false, "empty"], true]],
  ["threading: a Timer that was cancelled never runs", "import threading, time\nout = []\nt = threading.Timer(0.02, out.append, ['fired'])\nt.start()\nt.cancel()\ntime.sleep(0.05)\nt.join()", "out", []],
  ["threading: a Timer runs when its time has come", "import threading, time\nout, begun = [], time.monotonic()\nt = threading.Timer(0.05, lambda: out.append(time.monotonic() - begun >= 0.05))\nt.start()\nt.join()", "out", [true]],
  ["threading: a thread has a context of its own", "import contextvars, decimal, threading\nv, out = contextvars.ContextVar('v', default='fresh'), []\nv.set('main')\ndecimal.getcontext().prec = 5\nt = threading.Thread(target=lambda: out.append([v.get(), decimal.getcontext().prec]))\nt.start()\nt.join()\ndecimal.getcontext().prec = 28", "out", [["fresh", 28]]],
  ["threading: excepthook", "import threading\nout = []\nthreading.excepthook = lambda a: out.append([a.exc_type.__name__, str(a.exc_value), a.thread.name])\nt = threading.Thread(target=lambda: [][1], name='broken')\nt.start()\nt.join()\nthreading.excepthook = threading.__excepthook__", "out", [["IndexError", "list index out of range", "broken"]]],
  ["threading: enumerate and active_count", "import threading\nt = threading.Thread(target=int, name='one')\nt.start()\nseen = [x.name for x in threading.enumerate()]\nt.join()", "[seen[0], threading.active_count(), threading.current_thread() is threading.main_thread()]", ["MainThread", 1, true]],
  ["queue: workers without an end, as in its example", "import queue, threading\nq, out = queue.Queue(), []\ndef worker():\n    while True:\n        item = q.get()\n        out.append(item)\n        q.task_done()\nfor _ in range(3): threading.Thread(target=worker, daemon=True).start()\nfor item in range(10): q.put(item)\nq.join()", "sorted(out)", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ["queue: workers that end at a sentinel", "import queue, threading\nq, out = queue.Queue(), []\ndef worker():\n    while (item := q.get()) is not None: out.append(item)\nts = [threading.Thread(target=worker) for _ in range(3)]\nfor t in ts: t.start()\nfor item in range(6): q.put(item)\nfor t in ts: q.put(None)\nfor t in ts: t.join()", "[sorted(out), [t.is_alive() for t in ts]]", [[0, 1, 2, 3, 4, 5], [false, false, false]]],
  ["queue: a producer thread and a bounded queue that the main thread empties", "import queue, threading\nq, out = queue.Queue(), []\ndef produce():\n    for n in range(4): q.put(n)\n    q.put(None)\nthreading.Thread(target=produce).start()\nwhile (item := q.get()) is not None: out.append(item)", "out", [0, 1, 2, 3]],
  ["queue: SimpleQueue between threads", "import queue, threading\nq = queue.SimpleQueue()\nthreading.Thread(target=q.put, args=('x',)).start()", "[q.get(timeout=5), q.empty()]", ["x", true]],
  ["concurrent.futures: as_completed", "from concurrent.futures import ThreadPoolExecutor, as_completed\nwith ThreadPoolExecutor(max_workers=4) as pool:\n    names = {pool.submit(pow, n, 2): n for n in range(5)}\n    out = sorted([names[f], f.result()] for f in as_completed(names))", "out", [[0, 0], [1, 1], [2, 4], [3, 9], [4, 16]]],
  ["concurrent.futures: map keeps the order of its arguments", "from concurrent.futures import ThreadPoolExecutor\nimport time\ndef f(n):\n    time.sleep(0.01 * (3 - n))\n    return n\nwith ThreadPoolExecutor() as pool: out = list(pool.map(f, range(4), timeout=20))", "out", [0, 1, 2, 3]],
  ["concurrent.futures: an exception stays in its future", "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool: f = pool.submit(int, 'x')\ntry: f.result()\nexcept ValueError as problem: said = str(problem)", "[said, type(f.exception()).__name__, f.done()]", ["invalid literal for int() with base 10: 'x'", "ValueError", true]],
  ["concurrent.futures: wait and FIRST_COMPLETED", "from concurrent.futures import ThreadPoolExecutor, wait, FIRST_COMPLETED\nwith ThreadPoolExecutor(1) as pool:\n    fs = [pool.submit(abs, -n) for n in range(3)]\n    some = len(wait(fs, return_when=FIRST_COMPLETED).done)\n    done, rest = wait(fs, timeout=20)", "[some >= 1, len(done), len(rest)]", [true, 3, 0]],
  ["concurrent.futures: after shutdown nothing is taken", "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor()\nf = pool.submit(abs, -3)\npool.shutdown()\ntry: pool.submit(abs, 1)\nexcept RuntimeError as problem: said = str(problem)", "[f.done(), f.result(), said]", [true, 3, "cannot schedule new futures after shutdown"]],
  ["concurrent.futures: the initializer runs once per worker, its thread-local attributes stay", "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nown = threading.local()\ndef begin(v): own.v = [v]\ndef add(n):\n    own.v.append(n)\n    return own.v\nwith ThreadPoolExecutor(1, initializer=begin, initargs=('s',)) as pool: out = list(pool.map(add, [1, 2]))", "[out[-1], hasattr(own, 'v')]", [["s", 1, 2], false]],
  ["concurrent.futures: an initializer that fails breaks the pool", "from concurrent.futures import ThreadPoolExecutor\nfrom concurrent.futures.thread import BrokenThreadPool\nimport logging\nlogging.disable()\npool = ThreadPoolExecutor(1, initializer=lambda: 1 / 0)\nf = pool.submit(abs, 1)\nproblem = f.exception(5)\nlogging.disable(logging.NOTSET)", "isinstance(problem, BrokenThreadPool)", true],
  ["concurrent.futures: the names of workers", "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1, thread_name_prefix='fetch') as pool: name = pool.submit(lambda: threading.current_thread().name).result()", "name", "fetch_0"],
  ["concurrent.futures: calls that submit to their own pool", "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(4)\ndef tree(n): return 1 if n == 0 else sum(f.result() for f in [pool.submit(tree, n - 1) for _ in range(2)])\nout = pool.submit(tree, 1).result()\npool.shutdown()", "out", 2],
  ["concurrent.futures: callbacks when done", "from concurrent.futures import ThreadPoolExecutor\nout = []\nwith ThreadPoolExecutor(1) as pool: pool.submit(abs, -2).add_done_callback(lambda f: out.append(f.result()))", "out", [2]],
  ["logging: QueueListener", "import logging, logging.handlers, queue\nout = []\nclass Keep(logging.Handler):\n    def emit(self, record): out.append(record.getMessage())\nq = queue.SimpleQueue()\nlog = logging.Logger('own')\nlog.addHandler(logging.handlers.QueueHandler(q))\nlistener = logging.handlers.QueueListener(q, Keep())\nlistener.start()\nlog.warning('a')\nlog.warning('b')\nlistener.stop()", "out", ["a", "b"]],
];

/** Where a thread's turn comes later than a real one's. */
const OURS: readonly Case[] = [
  ["a started thread counts as alive until its turn", "import threading\nt = threading.Thread(target=int)\nt.start()\nbefore = t.is_alive()\nt.join()", "[before, t.is_alive()]", [true, false]],
  ["calls of a pool run in the order of their submission", "import time\nfrom concurrent.futures import ThreadPoolExecutor, as_completed\norder = []\ndef f(n):\n    time.sleep(0.01)\n    order.append(n)\n    return n\nwith ThreadPoolExecutor(8) as pool: done = [x.result() for x in as_completed([pool.submit(f, n) for n in range(5)])]", "[order, sorted(done)]", [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]],
  ["a submitted call can be cancelled until somebody waits", "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n    f = pool.submit(abs, -1)\n    out = [f.done(), f.cancel()]", "[*out, f.cancelled()]", [false, true, true]],
  ["a thousand calls do not pile up", "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool: out = sum(pool.map(lambda n: n, range(1000)))", "out", 499500],
];

const FOREVER = "RuntimeError: this would wait forever: nothing is left to run that could end the wait; threads run one after another in a plugin (docs/plugins.md#threads)";

export function threadCases(): void {
  describe("docs/plugins.md, threads", () => {
    it.each(SAME_AS_CPYTHON)("%s", async (_, body, expression, value) => expect(await evaluate(`json.dumps(${expression})`, `import json\n${body}`)).toEqual(value));
    it.each(OURS)("%s", async (_, body, expression, value) => expect(await evaluate(`json.dumps(${expression})`, `import json\n${body}`)).toEqual(value));

    it.each([
      ["an Event", "import threading\nthreading.Event().wait()"],
      ["a queue", "import queue\nqueue.Queue().get()"],
      ["a lock that is held", "import threading\nl = threading.Lock()\nl.acquire()\nl.acquire()"],
      ["a future nobody completes", "from concurrent.futures import Future\nFuture().result()"],
      ["a pool's call that waits for the caller", "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool: pool.submit(threading.Event().wait).result()"],
    ])("waiting for %s that never comes is an error, not a hang", async (_, statements) => expect(await raised(statements)).toBe(FOREVER));

    it("threads that were started and left run before the run ends, and what they write counts", async () => {
      const body = 'import threading\nthreading.Thread(target=lambda: influxdb3_local.write(LineBuilder("left").int64_field("n", 1))).start()\nthreading.Thread(target=influxdb3_local.info, args=("late",), daemon=True).start()\ninfluxdb3_local.info("returned")';
      const { trigger, said } = await wal(body, "a f=1", { specification: "table:a" });
      expect(said).toEqual(["INFO returned", "INFO late"]);
      await trigger.remove();
    });
    it("they run too when the entry point raises", async () => {
      const trigger = await createTrigger(await store(handler('import threading\nthreading.Thread(target=influxdb3_local.info, args=("late",)).start()\nraise ValueError("x")')), "request");
      expect((await trigger.get()).status).toBe(500);
      expect((await trigger.said())[0]).toBe("INFO late");
      await trigger.remove();
    });
    it("an exception of a thread is in the log, without frames of ours, and the run goes on", async () => {
      const trigger = await createTrigger(await store(handler("import threading\ndef work(): raise ValueError('broken')\nt = threading.Thread(target=work, name='worker')\nt.start()\nt.join()\nreturn 'on'")), "request");
      expect((await trigger.get()).body).toBe("on");
      const text = (await trigger.said()).join("\n");
      expect(text).toContain("Exception in thread worker:");
      expect(text).toContain("ValueError: broken");
      expect(text).not.toContain("_tidemark");
      await trigger.remove();
    });
    it("a thread that waits for a waiting one is ended, and the log says so", async () => {
      const trigger = await createTrigger(await store(handler("import queue, threading, time\nt = threading.Thread(target=queue.Queue().get, name='reader')\nt.start()\ntime.sleep(0.01)\nreturn str(t.is_alive())")), "request");
      expect((await trigger.get()).body).toBe("False");
      expect(await trigger.said()).toEqual([expect.stringContaining('the thread "reader" was ended, because it waits for what only a thread that waits for it could bring')]);
      await trigger.remove();
    });
    it("nothing of one run's threads is in the next", async () => {
      const body = "import threading\nfirst = [t.name for t in threading.enumerate()]\nt = threading.Timer(60, influxdb3_local.info, ['never'])\nt.daemon = True\nt.start()\nreturn str(first)";
      const trigger = await createTrigger(await store(handler(body)), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["['MainThread']", "['MainThread']"]);
      expect(await trigger.said()).toEqual([]);
      await trigger.remove();
    });
    it("a lock in the cache keeps its state", async () => {
      const trigger = await createTrigger(await store(handler("import threading\nl = influxdb3_local.cache.get('l') or threading.Lock()\ninfluxdb3_local.cache.put('l', l)\nreturn str(l.acquire(blocking=False))")), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["True", "False"]);
      await trigger.remove();
    });
    it("processes cannot be started", async () => {
      expect(await raised("from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor()")).toMatch(/^NotImplementedError: /);
      expect((await request("import subprocess\ntry: subprocess.run(['true'])\nexcept OSError as problem: return str(problem)")).body).toContain("does not support processes");
    });
  });
}
