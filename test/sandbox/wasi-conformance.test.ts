// One interpreter, three WASI implementations: whatever a plugin may ask of files, clocks and entropy must get the same
// answers from our layer as from node:wasi and @wasmer/wasi. Known differences of the others are listed where they show.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Artefacts, readArtefacts } from "../../src/adapters/plugin-runtime/artefacts.ts";
import { LiftBudget } from "../../src/adapters/plugin-runtime/canonical-abi.ts";
import { HOST_CALLS, HOST_CALL_NAMES, flatReader } from "../../src/adapters/plugin-runtime/contract.ts";
import { OPERATION, REPLY } from "../../src/adapters/plugin-runtime/control-block.ts";
import { Guest } from "../../src/adapters/plugin-runtime/guest.ts";
import { GuestMemory } from "../../src/adapters/plugin-runtime/guest-memory.ts";
import { guestContext, openEvent, packEvent } from "../../src/adapters/plugin-runtime/invocation-message.ts";
import type { GuestLink } from "../../src/adapters/plugin-runtime/mailbox.ts";
import { type GuestResult, liftRunResult } from "../../src/adapters/plugin-runtime/outcome.ts";
import type { WasiLayer } from "../../src/adapters/plugin-runtime/wasi/layer.ts";
import { artefactFolder, scheduled } from "./fixture.ts";
import { type LayerParts, NODE_SLEEPS, nodeLayer, ownLayer, wasmerLayer } from "./wasi-layers.ts";

const PLUGIN_FILES = { "plugins/pack/__init__.py": "NAME = 'pack'\n", "plugins/pack/data.txt": "first\nsecond\nthird\n" };

interface Rig {
  readonly name: string;
  readonly sleeps: boolean;
  run(body: string): string[];
}

class InThreadLink implements GuestLink {
  readonly logged: string[] = [];
  readonly #memory: GuestMemory;
  result: GuestResult | undefined;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = new GuestMemory(memory);
  }

  poll(): boolean {
    return false;
  }

  checkHardStop(): void {}

  call(operation: number, slots: readonly number[]): { kind: typeof REPLY.none; byteLength: number } {
    if (HOST_CALL_NAMES[operation] === "log") {
      this.logged.push(HOST_CALLS.log.parameters.lift({ memory: this.#memory, budget: new LiftBudget() }, flatReader(slots)).text);
    }
    return { kind: REPLY.none, byteLength: 0 };
  }

  payload(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(0);
  }
}

function tracebackOf({ result }: InThreadLink): string | undefined {
  return result?.tag === "err" ? result.failure.traceback : undefined;
}

function boot(name: string, sleeps: boolean, module: WebAssembly.Module, wasi: WasiLayer): Rig {
  const memory = new WebAssembly.Memory({ initial: 320, maximum: 4096, shared: true });
  const link = new InThreadLink(memory);
  const guest = new Guest({ module, memory, wasi, mailbox: link });
  guest.boot();
  return {
    name,
    sleeps,
    run(body) {
      link.logged.length = 0;
      link.result = undefined;
      const invocation = scheduled(body);
      const { end, answer } = guest.run(guestContext(invocation), openEvent(packEvent(invocation)));
      if (answer !== undefined) {
        link.result = liftRunResult(new GuestMemory(memory), { ofRequest: false, returned: answer.address, limits: { writeBytes: 1_000_000, responseBytes: 1_000_000 } });
        guest.free(answer);
      }
      const failure = tracebackOf(link);
      expect({ end, failure }).toEqual({ end: { kind: "returned" }, failure: undefined });
      return [...link.logged];
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "tidemark-wasi-"));
let rigs: Rig[];
let printed = "";

beforeAll(async () => {
  const artefacts: Artefacts = await readArtefacts(artefactFolder);
  const module = await WebAssembly.compile(artefacts.module);
  const files = [
    { path: "lib/python313.zip", bytes: artefacts.stdlib },
    ...Object.entries(PLUGIN_FILES).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) })),
  ];
  const parts: LayerParts = { files, module: artefacts.module, folder, print: (bytes) => void (printed += new TextDecoder().decode(bytes)) };
  rigs = [
    boot("ours", true, module, ownLayer(parts)),
    boot("node:wasi", NODE_SLEEPS, module, nodeLayer(parts)),
    boot("@wasmer/wasi", false, module, await wasmerLayer(parts)),
  ];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the lines everywhere and compares with what our layer answered, which must be `expected`. */
function same(body: string, expected: readonly string[]): void {
  for (const rig of rigs) expect([rig.name, ...rig.run(body)]).toEqual([rig.name, ...expected]);
}

describe("every WASI layer", () => {
  test("serves the same folders and files", () => {
    same(
      [
        "import os",
        "influxdb3_local.info(str(sorted(os.listdir('/plugins/pack'))))",
        "influxdb3_local.info(str([(e.name, e.is_dir(), e.is_file()) for e in sorted(os.scandir('/plugins'), key=lambda e: e.name)]))",
        "influxdb3_local.info(str(os.stat('/plugins/pack/data.txt').st_size))",
        "influxdb3_local.info(str((os.path.isdir('/lib'), os.path.isfile('/lib'), os.path.exists('/nothing'))))",
      ].join("\n"),
      ["['__init__.py', 'data.txt']", "[('pack', True, False)]", "19", "(True, False, False)"],
    );
  });

  test("reads, seeks and tells alike", () => {
    same(
      [
        "with open('/plugins/pack/data.txt', 'rb') as f:",
        "    influxdb3_local.info(repr(f.read(5)))",
        "    influxdb3_local.info(str(f.seek(6)))",
        "    influxdb3_local.info(repr(f.readline()))",
        "    influxdb3_local.info(str((f.tell(), f.seek(0, 2), f.read())))",
        "    f.seek(-6, 2)",
        "    influxdb3_local.info(repr(f.read()))",
      ].join("\n"),
      ["b'first'", "6", "b'second\\n'", "(13, 19, b'')", "b'third\\n'"],
    );
  });

  test("imports a package below /plugins", () => {
    same("import sys\nsys.path.insert(0, '/plugins')\nimport pack\ninfluxdb3_local.info(pack.NAME)", ["pack"]);
  });

  test("answers missing files, files used as folders and folders read as files with the same errors", () => {
    same(
      [
        "import os",
        "for act in (lambda: open('/nothing'), lambda: open('/plugins/pack/data.txt/x'), lambda: os.listdir('/plugins/pack/data.txt'), lambda: open('/plugins')):",
        "    try:",
        "        act()",
        "    except OSError as e:",
        "        influxdb3_local.info(type(e).__name__)",
      ].join("\n"),
      ["FileNotFoundError", "NotADirectoryError", "NotADirectoryError", "IsADirectoryError"],
    );
  });

  test("shows nothing above the root folder", () => {
    same(
      [
        "for path in ('/../etc/passwd', '/plugins/../../etc/passwd', '/etc/passwd'):",
        "    try:",
        "        open(path)",
        "        influxdb3_local.info('opened')",
        "    except OSError as e:",
        "        influxdb3_local.info('refused')",
      ].join("\n"),
      ["refused", "refused", "refused"],
    );
  });

  test("knows the environment it was given and no more", () => {
    same("import os\ninfluxdb3_local.info(str(dict(os.environ)))", ["{'TZ': 'UTC'}"]);
  });

  test("has live clocks and entropy", () => {
    for (const rig of rigs) {
      const beforeMs = Date.now();
      const [text] = rig.run("import time, os\na = time.monotonic_ns()\nb = time.monotonic_ns()\ninfluxdb3_local.info(f'{time.time_ns()} {b >= a} {os.urandom(16).hex()} {os.urandom(16).hex()}')");
      const [time = "", ascends, first = "", second] = (text ?? "").split(" ");
      expect(Number(BigInt(time) / 1_000_000n)).toBeGreaterThanOrEqual(beforeMs - 1);
      expect(Number(BigInt(time) / 1_000_000n)).toBeLessThanOrEqual(Date.now() + 1);
      expect([rig.name, ascends, first.length, first === second]).toEqual([rig.name, "True", 32, false]);
    }
  });

  test("sleeps as long as asked, where it can sleep", () => {
    for (const rig of rigs.filter(({ sleeps }) => sleeps)) {
      const [text] = rig.run("import time\na = time.monotonic()\ntime.sleep(0.05)\ninfluxdb3_local.info(str(time.monotonic() - a >= 0.049))");
      expect([rig.name, text]).toEqual([rig.name, "True"]);
    }
  });
});

describe("our layer", () => {
  test("alone refuses to write: its tree is read-only", () => {
    const [text] = rigs[0]?.run("try:\n    open('/plugins/new', 'w')\nexcept OSError as e:\n    influxdb3_local.info(e.strerror)") ?? [];
    expect(text).toBe("Read-only file system");
  });

  test("hands over what is printed", () => {
    printed = "";
    rigs[0]?.run("import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)");
    expect(printed).toBe("to stdout\nto stderr\n");
  });
});
