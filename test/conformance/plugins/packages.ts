/** Directory plugins (spec: processing-engine §14.2; reload is mended, §19 no. 19). */
import { describe, expect, it } from "vitest";
import { createTrigger, store, unique } from "./harness.ts";

const ENTRY = "def process_request(influxdb3_local, q, h, b, args=None):\n    return answer()\n";

async function answers(files: Readonly<Record<string, string>>, count = 1): Promise<string[]> {
  const trigger = await createTrigger(await store(files, unique("pack_")), "request");
  const bodies: string[] = [];
  for (let turn = 0; turn < count; turn += 1) bodies.push((await trigger.get()).body);
  await trigger.remove();
  return bodies;
}

export function packageCases(): void {
  describe("§14.2, imports", () => {
    it("from .module import name", async () => expect(await answers({ "__init__.py": `from .part import answer\n${ENTRY}`, "part.py": "def answer(): return 'relative'\n" })).toEqual(["relative"]));
    it("from . import module", async () => expect(await answers({ "__init__.py": `from . import part\nanswer = part.answer\n${ENTRY}`, "part.py": "def answer(): return 'module'\n" })).toEqual(["module"]));
    it("a package in the package, and .. from there", async () => {
      expect(await answers({ "__init__.py": `from .sub.deep import answer\n${ENTRY}`, "sub/__init__.py": "", "sub/deep.py": "from ..base import WORD\ndef answer(): return WORD\n", "base.py": "WORD = 'up'\n" })).toEqual(["up"]);
    });
    it("an absolute import of itself while it loads", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": `from ${name}.part import answer\n${ENTRY}`, "part.py": "def answer(): return 'absolute'\n" }, name), "request");
      expect((await trigger.get()).body).toBe("absolute");
      await trigger.remove();
    });
    it("a relative import inside a function, after loading", async () => {
      expect(await answers({ "__init__.py": `def answer():\n    from .late import WORD\n    return WORD\n${ENTRY}`, "late.py": "WORD = 'late'\n" })).toEqual(["late"]);
    });
    it("__name__, __file__ and __package__ are the package's", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": `def answer():\n    return f"{__name__} {__package__} {__file__.endswith('${name}/__init__.py')}"\n${ENTRY}` }, name), "request");
      expect((await trigger.get()).body).toBe(`${name} ${name} True`);
      await trigger.remove();
    });
    it("LineBuilder is there in every module", async () => {
      expect(await answers({ "__init__.py": `from .part import answer\n${ENTRY}`, "part.py": "def answer(): return LineBuilder('m').int64_field('f', 1).build()\n" })).toEqual(["m f=1i"]);
    });
    it("a trailing slash in the name is taken off (§14)", async () => {
      const name = await store({ "__init__.py": `def answer(): return 'slash'\n${ENTRY}` });
      const trigger = await createTrigger(`${name}/`, "request");
      expect((await trigger.get()).body).toBe("slash");
      await trigger.remove();
    });
    it("without __init__.py it is refused, with its absolute path (§14)", async () => {
      const name = await store({ "part.py": "" });
      await expect(createTrigger(name, "request")).rejects.toThrow(new RegExp(`Plugin error: reading plugin file: Multi-file plugin directory must contain __init__.py: /.*${name}`));
    });
    it("other files of the folder can be read beside the module (influxdb#26582: Python files only there)", async () => {
      const reading = "import pathlib, tomllib\ndef answer():\n    return tomllib.loads((pathlib.Path(__file__).parent / 'conf' / 'settings.toml').read_text())['word']\n";
      expect(await answers({ "__init__.py": `${reading}${ENTRY}`, "conf/settings.toml": "word = 'configured'\n" })).toEqual(["configured"]);
    });
  });

  describe("§14.2, state", () => {
    const COUNTING = `COUNT = 0\ndef answer():\n    global COUNT\n    COUNT += 1\n    return str(COUNT)\n${ENTRY}`;
    it("module state stays between runs", async () => expect(await answers({ "__init__.py": COUNTING }, 3)).toEqual(["1", "2", "3"]));
    it("the package is imported once", async () => {
      expect(await answers({ "__init__.py": `import uuid\nID = str(uuid.uuid4())\nSEEN = set()\ndef answer():\n    SEEN.add(ID)\n    return str(len(SEEN))\n${ENTRY}` }, 3)).toEqual(["1", "1", "1"]);
    });
    it("two triggers of one folder have a state each (shared there: their instances are their own here)", async () => {
      const name = await store({ "__init__.py": COUNTING });
      const [first, second] = [await createTrigger(name, "request"), await createTrigger(name, "request")];
      expect([(await first.get()).body, (await first.get()).body, (await second.get()).body]).toEqual(["1", "2", "1"]);
      await Promise.all([first.remove(), second.remove()]);
    });
    it("two folders of one base name do not meet (the first wins there)", async () => {
      const [one, two] = [unique("a_"), unique("b_")];
      await store({ "same/__init__.py": `def answer(): return 'one'\n${ENTRY}` }, one);
      await store({ "same/__init__.py": `def answer(): return 'two'\n${ENTRY}` }, two);
      const [first, second] = [await createTrigger(`${one}/same`, "request"), await createTrigger(`${two}/same`, "request")];
      expect([(await first.get()).body, (await second.get()).body]).toEqual(["one", "two"]);
      await Promise.all([first.remove(), second.remove()]);
    });
    it("a changed module is loaded again with what it imports (§19 no. 19: only after a restart there)", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": `from .part import WORD\ndef answer(): return WORD\n${ENTRY}`, "part.py": "WORD = 'old'\n" }, name), "request");
      expect((await trigger.get()).body).toBe("old");
      await store({ "part.py": "WORD = 'new'\n" }, name);
      expect((await trigger.get()).body).toBe("new");
      await trigger.remove();
    });
    it("a cached object survives the reload", async () => {
      const name = unique("pack_");
      const source = (word: string): Record<string, string> => ({ "__init__.py": `def process_request(local, q, h, b, args=None):\n    n = local.cache.get("n", 0) + 1\n    local.cache.put("n", n)\n    return f"${word} {n}"\n` });
      const trigger = await createTrigger(await store(source("old"), name), "request");
      expect((await trigger.get()).body).toBe("old 1");
      await store(source("new"), name);
      expect((await trigger.get()).body).toBe("new 2");
      await trigger.remove();
    });
  });

  describe("§14.2, failures", () => {
    it("an import error has the reference's sentence and hint", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": `import no_such_module\n${ENTRY}` }, name), "request");
      const { status, body } = await trigger.get();
      expect([status, body]).toEqual([500, expect.stringContaining(`Failed to import plugin module '${name}': ModuleNotFoundError: No module named 'no_such_module'`)]);
      expect(body).toContain("Hint: Check for syntax errors or missing dependencies in Python files.");
      await trigger.remove();
    });
    it("a syntax error in any of its files is told when the trigger is created (there at the first run)", async () => {
      const name = await store({ "__init__.py": "from . import part\n", "part.py": "def broken(:\n" });
      await expect(createTrigger(name, "request")).rejects.toThrow(new RegExp(`cannot be compiled[^]*File "${name}/part.py", line 1[^]*SyntaxError`));
    });
    it("a missing entry point has the reference's sentence", async () => {
      const trigger = await createTrigger(await store({ "__init__.py": "" }), "request");
      expect((await trigger.get()).body).toContain("the process_request function is not present in the plugin. Should be defined as: process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None) -> Tuple[str, Optional[Dict[str, str]]]");
      await trigger.remove();
    });
    it("a failing attribute look-up has the reference's sentence", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": "def __getattr__(name):\n    raise RuntimeError('no')\n" }, name), "request");
      expect((await trigger.get()).body).toContain(`Failed to load function 'process_request' from plugin module '${name}': RuntimeError: no`);
      await trigger.remove();
    });
    it("a repaired package works without a restart", async () => {
      const name = unique("pack_");
      const trigger = await createTrigger(await store({ "__init__.py": `raise ValueError("broken")\n${ENTRY}` }, name), "request");
      expect((await trigger.get()).status).toBe(500);
      await store({ "__init__.py": `def answer(): return 'repaired'\n${ENTRY}` }, name);
      expect((await trigger.get()).body).toBe("repaired");
      await trigger.remove();
    });
  });
}
