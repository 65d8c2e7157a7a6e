/** Files of the plugin folder that plugins read, such as their settings (spec: processing-engine §24). */
import { describe, expect, it } from "vitest";
import { createTrigger, handler, raised, request, send, store, testRun, unique } from "./harness.ts";

const READ = "import os, json, tomllib\nfrom pathlib import Path\n";
const NONE = { grants: { files: "none" } };

async function keep(name: string, content: string): Promise<string> {
  const path = `${unique("kept_")}/${name}`;
  await replace(path, content);
  return path;
}

async function replace(path: string, content: string): Promise<void> {
  const answer = await send("POST", "/api/v3/plugins/files", { plugin_name: path, content });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
}

const SETTINGS = `${READ}with open(Path(os.environ["PLUGIN_DIR"]) / args["config_file_path"], "rb") as f:\n    return tomllib.load(f)`;

export function folderFileCases(): void {
  describe("§24, files of the plugin folder", () => {
    it("a TOML file that an argument names, below PLUGIN_DIR", async () => {
      const path = await keep("settings.toml", 'table = "cpu"\nlimit = 7\n');
      expect(JSON.parse((await request(SETTINGS, { ...NONE, arguments: { config_file_path: path } })).body)).toEqual({ table: "cpu", limit: 7 });
    });
    it("the next run reads what is in it by then, and sees a new time", async () => {
      const path = await keep("settings.toml", "n = 1");
      const trigger = await createTrigger(await store(handler(SETTINGS)), "request", { ...NONE, arguments: { config_file_path: path } });
      expect((await trigger.get()).body).toBe('{"n": 1}');
      await replace(path, "n = 22");
      expect((await trigger.get()).body).toBe('{"n": 22}');
      await trigger.remove();
    });
    it("a file that no argument names is not there", async () => {
      const path = await keep("secret.toml", "n = 1");
      expect(await raised(`open("/plugins/${path}")`, NONE)).toMatch(/^FileNotFoundError: /);
      expect((await request(`import os\nreturn os.listdir(os.environ["PLUGIN_DIR"])`, NONE)).body).toBe("[]");
    });
    it("a granted folder with all its files, and nothing beside it", async () => {
      const path = await keep("certs/ca.pem", "PEM");
      await replace(path.replace("certs/ca.pem", "other.pem"), "no");
      const folder = path.replace("/ca.pem", "");
      const body = `${READ}return [str(p) for p in sorted(Path("/plugins").rglob("*.pem"))] + [open("/plugins/${path}").read()]`;
      expect(JSON.parse((await request(body, { grants: { files: folder } })).body)).toEqual([`/plugins/${path}`, "PEM"]);
    });
    it("everything but hidden names where all is granted, as the trusted profile does", async () => {
      const path = await keep("a.json", "[1]");
      await replace(path.replace("a.json", ".hidden.json"), "[2]");
      const body = `${READ}folder = Path("/plugins/${path}").parent\nreturn [os.listdir(folder), json.loads((folder / "a.json").read_text()), [n for n in os.listdir("/plugins") if n.startswith(".")]]`;
      expect(JSON.parse((await request(body)).body)).toEqual([["a.json"], [1], []]);
    });
    it("they cannot be written", async () => {
      const path = await keep("a.txt", "x");
      expect(await raised(`open("/plugins/${path}", "w")`)).toMatch(/^(?:OSError|PermissionError): .*Read-only|^PermissionError: /);
      expect(await raised('open("/plugins/new.txt", "w")')).toMatch(/^(?:OSError|PermissionError): .*Read-only|^PermissionError: /);
    });
    it("a folder plugin has its own files and those", async () => {
      const path = await keep("limits.toml", "n = 3");
      const name = await store({ "__init__.py": `from pathlib import Path\nimport tomllib\nOWN = (Path(__file__).parent / "own.txt").read_text()\n${handler(`return [OWN, tomllib.loads(Path("/plugins", args["file"]).read_text())]`)}`, "own.txt": "mine" });
      const trigger = await createTrigger(name, "request", { ...NONE, arguments: { file: path } });
      expect((await trigger.get()).body).toBe('["mine", {"n": 3}]');
      await trigger.remove();
    });
    it("a test run has them too", async () => {
      const path = await keep("a.toml", "n = 4");
      const filename = await store(`import tomllib\ndef process_writes(influxdb3_local, table_batches, args):\n    with open("/plugins/" + args["file"], "rb") as f:\n        influxdb3_local.info(tomllib.load(f))\n`);
      const report = await testRun("wal", { filename, database: unique("none"), input_lp: "a f=1", input_arguments: { file: path }, ...NONE });
      expect(report.log_lines[1]).toBe("INFO: {'n': 4}");
    });
  });
}
