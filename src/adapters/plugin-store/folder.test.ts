// Goal: plugin files come from the user's folder, then from the bundled one, and from nowhere else.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SHOWN_FILE_BYTES_MAX } from "../../core/trigger/wanted-files.ts";
import type { PluginStore } from "../../ports/plugin-store.ts";
import { createFolderPluginStore } from "./folder.ts";
import { PLUGIN_BYTES_MAX, PLUGIN_FOLDER_BYTES_MAX } from "./limits.ts";
import { Pins } from "./pins.ts";

const log = { log: () => undefined };
const noRepository = {
  base: undefined,
  http: { get: () => Promise.reject(new Error("no network in this test")) },
  pins: new Pins({ folder: undefined, randomName: () => "x", log }),
  log,
};

let base: string;
let store: PluginStore;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tidemark-plugins-"));
  mkdirSync(join(base, "user"));
  mkdirSync(join(base, "bundled"));
  writeFileSync(join(base, "secret.py"), "secret");
  writeFileSync(join(base, "bundled", "both.py"), "bundled");
  writeFileSync(join(base, "bundled", "only.py"), "only bundled");
  let count = 0;
  store = createFolderPluginStore({ folder: join(base, "user"), overlay: join(base, "bundled"), randomName: () => String(count++), repository: noRepository });
});
afterEach(() => rmSync(base, { recursive: true }));

describe("files that plugins may read", () => {
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(base, "user", name)), { recursive: true });
    writeFileSync(join(base, "user", name), content);
  };
  const paths = async (granted: readonly string[], named: readonly string[] = []): Promise<readonly string[]> => (await store.shown({ granted, named })).files.map((file) => file.path);

  it("are those that are named or granted: files by name, folders whole", async () => {
    for (const name of ["a.toml", "b.toml", "certs/ca.pem", "certs/old/ca.pem", "certs/.key", "certs/__pycache__/x.pyc", ".gh/x.py"]) write(name, name);
    expect(await paths([], ["a.toml", "certs", "missing.toml"])).toEqual(["a.toml"]);
    expect(await paths(["certs/", "b.toml"], ["certs/ca.pem"])).toEqual(["certs/ca.pem", "certs/old/ca.pem", "b.toml"]);
    expect(await paths(["*"])).toEqual(["a.toml", "b.toml", "certs/ca.pem", "certs/old/ca.pem"]);
    expect((await store.shown({ granted: [], named: ["a.toml"] })).files[0]).toMatchObject({ source: join(base, "user", "a.toml"), modifiedMs: statSync(join(base, "user", "a.toml")).mtimeMs });
  });

  it("are never outside, hidden, or behind a folder that is a link", async () => {
    write("certs/ca.pem", "x");
    write(".gh/x.py", "x");
    symlinkSync(join(base, "secret.py"), join(base, "user", "out.py"));
    symlinkSync(base, join(base, "user", "outside"));
    symlinkSync(join(base, "user", ".gh", "x.py"), join(base, "user", "hidden.py"));
    symlinkSync(join(base, "user"), join(base, "user", "certs", "round"));
    symlinkSync(join(base, "user", "certs", "ca.pem"), join(base, "user", "link.pem"));
    expect(await paths([], ["out.py", "outside/secret.py", "hidden.py", "../secret.py", ".gh/x.py", "link.pem"])).toEqual(["link.pem"]);
    expect(await paths(["*"])).toEqual(["certs/ca.pem", "link.pem"]);
  });

  it("are bounded; what is left out is counted", async () => {
    write("small.bin", "x");
    write("large.bin", "");
    truncateSync(join(base, "user", "large.bin"), SHOWN_FILE_BYTES_MAX + 1);
    for (const name of ["m1", "m2", "m3"]) {
      write(`${name}.bin`, "");
      truncateSync(join(base, "user", `${name}.bin`), SHOWN_FILE_BYTES_MAX);
    }
    const shown = await store.shown({ granted: ["*"], named: [] });
    expect([shown.files.map((file) => file.path), shown.leftOut]).toEqual([["m1.bin", "m2.bin"], 3]);
  });

  it("are none without a folder", async () => {
    const bare = createFolderPluginStore({ folder: undefined, overlay: join(base, "bundled"), randomName: () => "x", repository: noRepository });
    expect(await bare.shown({ granted: ["*"], named: ["both.py"] })).toEqual({ files: [], leftOut: 0 });
  });
});

describe("the plugin folder", () => {
  it("lets the user's file win over the bundled one", async () => {
    expect((await store.load("both.py")).source).toBe("bundled");
    await store.write("both.py", new TextEncoder().encode("mine"));
    expect((await store.load("both.py")).source).toBe("mine");
    expect(readFileSync(join(base, "bundled", "both.py"), "utf8")).toBe("bundled");
    expect((await store.load("only.py")).source).toBe("only bundled");
  });

  it("gives the same object while nothing changed and a new revision when something did", async () => {
    await store.write("a.py", new TextEncoder().encode("one"));
    const first = await store.load("a.py");
    expect(await store.load("a.py")).toBe(first);
    writeFileSync(join(base, "user", "a.py"), "two");
    utimesSync(join(base, "user", "a.py"), 1, 1);
    const second = await store.load("a.py");
    expect(second.source).toBe("two");
    expect(second.revision).not.toBe(first.revision);
  });

  it("reads a directory with __init__.py and all its files but hidden ones and bytecode", async () => {
    mkdirSync(join(base, "user", "pkg", "sub"), { recursive: true });
    mkdirSync(join(base, "user", "pkg", "__pycache__"));
    for (const name of ["__init__.py", "sub/x.py", "data.toml", "__pycache__/y.py", ".hidden"]) writeFileSync(join(base, "user", "pkg", name), name);
    const code = await store.load("pkg/");
    expect([...code.files.keys()]).toEqual(["pkg/__init__.py", "pkg/data.toml", "pkg/sub/x.py"]);
    expect([code.source, code.module]).toEqual([undefined, "pkg"]);
    expect((await store.files("pkg")).map((file) => file.fileName)).toEqual(["__init__.py", "data.toml", "sub/x.py"]);
  });

  it.each(["../secret.py", "x/../../secret.py", "..\\secret.py", "/etc/passwd", "C:\\x.py", "", "a\0b"])("refuses %j (§4.2)", async (name) => {
    const text = `Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`;
    await expect(store.load(name)).rejects.toThrow(text);
    await expect(store.write(name, new Uint8Array())).rejects.toThrow(text);
  });

  it("looks at the files of a folder again after a moment, and at once after an upload", async () => {
    await store.replaceFolder("pkg", new Map([["__init__.py", new TextEncoder().encode("one")]]));
    const first = await store.load("pkg");
    writeFileSync(join(base, "user", "pkg", "__init__.py"), "two");
    await vi.waitFor(async () => expect(await store.load("pkg")).not.toBe(first));
    await store.load("pkg");
    await store.write("pkg/__init__.py", new TextEncoder().encode("three"));
    expect(new TextDecoder().decode((await store.load("pkg")).files.get("pkg/__init__.py"))).toBe("three");
  });

  it("knows the manifests of bundled plugins from those of the user's files of the same name", async () => {
    mkdirSync(join(base, "bundled", "p"));
    for (const [name, text] of [["p.py", "ours"], ["manifest.toml", "asks"]] as const) writeFileSync(join(base, "bundled", "p", name), text);
    expect([await store.manifest("p/p.py"), await store.bundledManifest("p/p.py")]).toEqual(["asks", "asks"]);
    await store.write("p/p.py", new TextEncoder().encode("mine"));
    await store.write("p/manifest.toml", new TextEncoder().encode("wants more"));
    expect([await store.manifest("p/p.py"), await store.bundledManifest("p/p.py")]).toEqual(["wants more", undefined]);
  });

  it("gives a file beside the code, of the folder or of the single file, and nothing from elsewhere", async () => {
    await store.write("pkg/__init__.py", new Uint8Array());
    await store.write("pkg/requirements.txt", new TextEncoder().encode("a"));
    await store.write("one/code.py", new Uint8Array());
    await store.write("one/requirements.txt", new TextEncoder().encode("b"));
    expect([await store.beside("pkg", "requirements.txt"), await store.beside("one/code.py", "requirements.txt"), await store.beside("pkg", "manifest.toml")]).toEqual(["a", "b", undefined]);
    for (const name of ["../one/code.py", "sub/x.txt", ".env", ""]) await expect(store.beside("pkg", name)).rejects.toThrow("Path traversal detected");
    symlinkSync(join(base, "secret.py"), join(base, "user", "pkg", "linked.txt"));
    await expect(store.beside("pkg", "linked.txt")).rejects.toThrow("Path traversal detected");
  });

  it("refuses a link in a folder that leads outside, also one that comes later", async () => {
    await store.replaceFolder("pkg", new Map([["__init__.py", new Uint8Array()]]));
    await store.load("pkg");
    symlinkSync(join(base, "secret.py"), join(base, "user", "pkg", "link.py"));
    await expect(store.newest("pkg", { pin: false })).rejects.toThrow("Path traversal detected");
  });

  it("refuses links that lead outside, for files and for parents", async () => {
    symlinkSync(join(base, "secret.py"), join(base, "user", "link.py"));
    symlinkSync(base, join(base, "user", "up"));
    await expect(store.load("link.py")).rejects.toThrow("Path traversal detected");
    await expect(store.load("up/secret.py")).rejects.toThrow("Path traversal detected");
    await expect(store.write("up/new.py", new Uint8Array())).rejects.toThrow("Path traversal detected");
  });

  it("names what is missing in the reference's words (§14)", async () => {
    mkdirSync(join(base, "user", "bare"));
    await expect(store.load("none.py")).rejects.toThrow(`Plugin error: reading plugin file: Plugin not found: ${join(base, "user", "none.py")}`);
    await expect(store.load("bare")).rejects.toThrow(`Plugin error: reading plugin file: Multi-file plugin directory must contain __init__.py: ${join(base, "user", "bare")}`);
    writeFileSync(join(base, "user", "latin.py"), new Uint8Array([0xff, 0xfe]));
    await expect(store.load("latin.py")).rejects.toThrow("valid UTF-8");
  });

  it("notices a file that was renamed but has the same content", async () => {
    mkdirSync(join(base, "user", "pkg"));
    for (const name of ["__init__.py", "a.py"]) writeFileSync(join(base, "user", "pkg", name), "");
    const first = await store.load("pkg");
    renameSync(join(base, "user", "pkg", "a.py"), join(base, "user", "pkg", "b.py"));
    const second = await store.newest("pkg", { pin: true });
    expect([...second.files.keys()]).toEqual(["pkg/__init__.py", "pkg/b.py"]);
    expect(second.revision).not.toBe(first.revision);
  });

  it("notices an edit that keeps size and modification time", async () => {
    const path = join(base, "user", "a.py");
    writeFileSync(path, "one");
    utimesSync(path, 1000, 1000);
    expect((await store.load("a.py")).source).toBe("one");
    writeFileSync(path, "two");
    utimesSync(path, 1000, 1000);
    expect((await store.load("a.py")).source).toBe("two");
  });

  it("accepts an absolute name inside, also by a link to the folder, and shows it relative", async () => {
    await store.write("a/b.py", new TextEncoder().encode("x"));
    symlinkSync(join(base, "user"), join(base, "alias"));
    const linked = createFolderPluginStore({ folder: join(base, "alias"), overlay: undefined, randomName: () => "1", repository: undefined });
    expect((await store.load(join(base, "user", "a", "b.py"))).fileName).toBe(join("a", "b.py"));
    expect((await linked.load(join(base, "alias", "a", "b.py"))).fileName).toBe(join("a", "b.py"));
    expect((await linked.load(join(base, "user", "a", "b.py"))).fileName).toBe(join("a", "b.py"));
    for (const name of [join(base, "user"), join(base, "userx", "b.py"), join(base, "secret.py")]) await expect(store.load(name)).rejects.toThrow("Path traversal detected");
  });

  it("bounds a file, and a directory in files and bytes", async () => {
    writeFileSync(join(base, "user", "big.py"), new Uint8Array(PLUGIN_BYTES_MAX + 1));
    await expect(store.load("big.py")).rejects.toThrow(`is larger than ${PLUGIN_BYTES_MAX} bytes`);
    mkdirSync(join(base, "user", "many"));
    writeFileSync(join(base, "user", "many", "__init__.py"), "");
    for (let n = 0; n < 5; n += 1) writeFileSync(join(base, "user", "many", `${n}.bin`), new Uint8Array(PLUGIN_BYTES_MAX));
    await expect(store.load("many")).rejects.toThrow(`larger than ${PLUGIN_FOLDER_BYTES_MAX} bytes`);
  });
});

describe("replacing a directory (§14.5)", () => {
  const files = (contents: Readonly<Record<string, string>>): Map<string, Uint8Array> => new Map(Object.entries(contents).map(([name, text]) => [name, new TextEncoder().encode(text)]));

  it("puts the new one in place as a whole: files that are not given are gone, nothing is left beside it", async () => {
    await store.replaceFolder("pkg", files({ "__init__.py": "1", "old.py": "1" }));
    await store.replaceFolder("pkg/", files({ "__init__.py": "2", "sub/new.toml": "2" }));
    expect([...(await store.load("pkg")).files.keys()]).toEqual(["pkg/__init__.py", "pkg/sub/new.toml"]);
    expect(readdirSync(join(base, "user"))).toEqual(["pkg"]);
  });

  it("leaves the old one when the new one cannot be written", async () => {
    await store.replaceFolder("pkg", files({ "__init__.py": "1" }));
    await expect(store.replaceFolder("pkg", files({ "__init__.py": "2", "a": "file", "a/b.py": "below a file" }))).rejects.toThrow();
    expect(new TextDecoder().decode((await store.load("pkg")).files.get("pkg/__init__.py"))).toBe("1");
    expect(readdirSync(join(base, "user"))).toEqual(["pkg"]);
  });

  it.each([["../x.py"], ["/etc/x.py"], ["a/../../x.py"]])("refuses %j in it", async (name) => {
    await expect(store.replaceFolder("pkg", files({ "__init__.py": "", [name]: "" }))).rejects.toThrow("Path traversal detected");
  });

  it("wants an __init__.py, a place that is no file, and stays out of the store's own folder", async () => {
    writeFileSync(join(base, "user", "single.py"), "");
    await expect(store.replaceFolder("pkg", files({ "a.py": "" }))).rejects.toThrow("Multi-file plugin directory must contain __init__.py");
    await expect(store.replaceFolder("single.py", files({ "__init__.py": "" }))).rejects.toThrow("is a file");
    await expect(store.write(".gh/pins.json", new Uint8Array())).rejects.toThrow("Path traversal detected");
  });

  it("does not touch a bundled one: the user's copy hides it", async () => {
    mkdirSync(join(base, "bundled", "pkg"));
    writeFileSync(join(base, "bundled", "pkg", "__init__.py"), "bundled");
    await store.replaceFolder("pkg", files({ "__init__.py": "mine" }));
    expect(readFileSync(join(base, "bundled", "pkg", "__init__.py"), "utf8")).toBe("bundled");
    expect(new TextDecoder().decode((await store.load("pkg")).files.get("pkg/__init__.py"))).toBe("mine");
  });
});

it("--plugin-dir-only takes neither repositories nor uploads", async () => {
  const only = createFolderPluginStore({ folder: join(base, "user"), overlay: undefined, randomName: () => "1", repository: undefined });
  const refused = { code: "plugin.folder_only", message: expect.stringContaining("--plugin-dir-only") };
  await expect(only.load("gh:a.py")).rejects.toMatchObject(refused);
  await expect(only.write("a.py", new Uint8Array())).rejects.toMatchObject(refused);
  await expect(only.replaceFolder("a", new Map([["__init__.py", new Uint8Array()]]))).rejects.toMatchObject(refused);
});
