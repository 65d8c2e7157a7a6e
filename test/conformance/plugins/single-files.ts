/** Single-file plugins (spec: processing-engine §14, §14.1, §14.3). */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, raised, request, send, store, unique } from "./harness.ts";

export function singleFileCases(): void {
  describe("§14.1, globals", () => {
    it("are fresh in every run", async () => {
      const trigger = await createTrigger(await store(handler("global COUNT\nCOUNT += 1\nreturn str(COUNT)", "COUNT = 0\n")), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["1", "1"]);
      await trigger.remove();
    });
    it("module-level code is repeated in every run", async () => {
      const trigger = await createTrigger(await store(handler("return NOW", 'import uuid\nNOW = str(uuid.uuid4())\n')), "request");
      expect((await trigger.get()).body).not.toBe((await trigger.get()).body);
      await trigger.remove();
    });
    it("hold __builtins__ only", async () => {
      expect((await request("return str(SEEN)", { before: "SEEN = sorted(globals())\n" })).body).toBe("['__builtins__']");
    });
    it('__name__ is "builtins": the main guard is false', async () => {
      expect((await request("return f'{NAME} {MAIN}'", { before: "NAME = __name__\nMAIN = False\nif __name__ == '__main__':\n    MAIN = True\n" })).body).toBe("builtins False");
    });
    it("__file__ is not defined", async () => expect(await raised("__file__")).toBe("NameError: name '__file__' is not defined"));
    it("relative imports are impossible", async () => expect(await raised("from . import x")).toMatch(/^ImportError: |^KeyError: |^TypeError: /));
    it("sibling files cannot be imported", async () => {
      const name = unique("sibling_");
      await store("X = 1\n", name);
      expect(await raised(`import ${name}`)).toBe(`ModuleNotFoundError: No module named '${name}'`);
    });
    it("imports of the standard library stay loaded", async () => {
      const trigger = await createTrigger(await store(handler("import sys, colorsys\nfirst = getattr(colorsys, 'mark', 'new')\ncolorsys.mark = 'kept'\nreturn first")), "request");
      expect([(await trigger.get()).body, (await trigger.get()).body]).toEqual(["new", "kept"]);
      await trigger.remove();
    });
    it("what libraries ask for when they are imported is there: a user's number, multiprocessing without processes", async () => {
      const body = "import os\nfrom multiprocessing.managers import BaseManager\nimport multiprocessing as mp\nclass M(BaseManager): pass\nM.register('x')\nreturn [os.getuid() == os.geteuid(), os.getgid() == os.getegid(), mp.current_process().name, mp.active_children()]";
      expect(JSON.parse((await request(body)).body)).toEqual([true, true, "MainProcess", []]);
    });
    it("functions and classes of the file see each other", async () => {
      expect((await request("return A().go()", { before: "def helper(): return LIMIT\nclass A:\n    def go(self): return str(helper())\nLIMIT = 7\n" })).body).toBe("7");
    });
    it("annotations, dataclasses and type hints work", async () => {
      const before = "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import Optional\nclass P: pass\n";
      expect((await request("x: Optional[int] = 5\nreturn str(x)", { before })).body).toBe("5");
    });
    it("a docstring of JSON at the top is just a docstring (§24)", async () => {
      expect((await request("return 'ok'", { before: '"""\n{\n  "plugin_type": ["http"],\n  "http_args_config": []\n}\n"""\n' })).body).toBe("ok");
    });
    it("an encoding comment and a byte order mark are accepted", async () => {
      const trigger = await createTrigger(await store(`\ufeff# -*- coding: utf-8 -*-\n${handler("return 'é'")}`), "request");
      expect((await trigger.get()).body).toBe("é");
      await trigger.remove();
    });
  });

  describe("§14.1, reload", () => {
    it("a changed file is used by the next run", async () => {
      const name = unique("reloaded_");
      const trigger = await createTrigger(await store(handler("return 'one'"), name), "request");
      expect((await trigger.get()).body).toBe("one");
      await store(handler("return 'two'"), name);
      expect((await trigger.get()).body).toBe("two");
      await trigger.remove();
    });
    it("a file that lost its entry point says so, and works again when it is back", async () => {
      const name = unique("reloaded_");
      const trigger = await createTrigger(await store(handler("return 'one'"), name), "request");
      await store("pass\n", name);
      expect((await trigger.get()).body).toContain("the process_request function is not present in the plugin");
      await store(handler("return 'three'"), name);
      expect((await trigger.get()).body).toBe("three");
      await trigger.remove();
    });
    it("PUT /api/v3/plugins/files replaces the file of a trigger (§4)", async () => {
      const trigger = await createTrigger(await store(handler("return 'one'")), "request");
      expect((await send("PUT", "/api/v3/plugins/files", { plugin_name: trigger.name, content: handler("return 'put'") })).status).toBe(200);
      expect((await trigger.get()).body).toBe("put");
      await trigger.remove();
    });
  });

  describe("§14, names", () => {
    it("a file in a folder", async () => {
      await send("POST", "/api/v3/plugins/files", { plugin_name: "deep/er/named.py", content: handler("return 'deep'") });
      const trigger = await createTrigger("deep/er/named.py", "request");
      expect((await trigger.get()).body).toBe("deep");
      await trigger.remove();
    });
    it("any extension", async () => {
      await send("POST", "/api/v3/plugins/files", { plugin_name: "named.plugin", content: handler("return 'any'") });
      const trigger = await createTrigger("named.plugin", "request");
      expect((await trigger.get()).body).toBe("any");
      await trigger.remove();
    });
    it("a missing file is named with its absolute path", async () => {
      await expect(createTrigger("nothing.py", "request")).rejects.toThrow(/500 .*Plugin error: reading plugin file: Plugin not found: \/.*nothing\.py/);
    });
    it("NUL in the code", async () => {
      await expect(createTrigger(await store(`${handler("return 'x'")}\0`), "request")).rejects.toThrow(/null bytes/);
    });
  });

  describe("§14.3, what a plugin finds around it", () => {
    it("Python 3.13", async () => expect((await request("import sys\nreturn '.'.join(map(str, sys.version_info[:2]))")).body).toBe("3.13"));
    it.each(["tomllib", "zoneinfo", "uuid", "statistics", "csv", "decimal", "sqlite3|missing", "concurrent.futures", "urllib.request", "asyncio", "hashlib", "zlib", "bz2", "lzma", "pickle", "logging", "dataclasses", "html.parser", "xml.etree.ElementTree"])("module %s", async (name) => {
      const [module, missing] = name.split("|");
      expect((await request(`import importlib\ntry:\n    importlib.import_module("${module}")\n    return "there"\nexcept ImportError:\n    return "missing"`)).body).toBe(missing ?? "there");
    });
    it("time zones", async () => {
      expect((await request("import zoneinfo, datetime\nreturn datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).isoformat()")).body).toBe("2026-07-01T00:00:00+02:00");
    });
    it("hashes and compression have the right results", async () => {
      expect((await request("import hashlib, zlib\nreturn f\"{hashlib.sha256(b'abc').hexdigest()[:16]} {zlib.crc32(b'123456789'):x}\"")).body).toBe("ba7816bf8f01cfea cbf43926");
    });
    it("time.sleep waits", async () => expect((await request("import time\nt = time.monotonic()\ntime.sleep(0.05)\nreturn str(time.monotonic() - t >= 0.05)")).body).toBe("True"));
  });
}
