// Goal: plugin files come from the user's folder, then from the bundled one, and from nowhere else.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PluginStore } from "../../ports/plugin-store.ts";
import { createFolderPluginStore } from "./folder.ts";

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
  store = createFolderPluginStore({ folder: join(base, "user"), overlay: join(base, "bundled"), randomName: () => String(count++) });
});
afterEach(() => rmSync(base, { recursive: true }));

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

  it("reads a directory with __init__.py, and only its Python files", async () => {
    mkdirSync(join(base, "user", "pkg", "sub"), { recursive: true });
    mkdirSync(join(base, "user", "pkg", "__pycache__"));
    for (const name of ["__init__.py", "sub/x.py", "data.toml", "__pycache__/y.py"]) writeFileSync(join(base, "user", "pkg", name), name);
    const code = await store.load("pkg/");
    expect([...code.files.keys()]).toEqual(["pkg/__init__.py", "pkg/sub/x.py"]);
    expect([code.source, code.module]).toEqual([undefined, "pkg"]);
    expect((await store.files("pkg")).map((file) => file.fileName)).toEqual(["__init__.py", join("sub", "x.py")]);
  });

  it.each(["../secret.py", "x/../../secret.py", "..\\secret.py", "/etc/passwd", "C:\\x.py", "", "a\0b"])("refuses %j (§4.2)", async (name) => {
    const text = `Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`;
    await expect(store.load(name)).rejects.toThrow(text);
    await expect(store.write(name, new Uint8Array())).rejects.toThrow(text);
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
    await expect(store.load("gh:x/y.py")).rejects.toThrow("gh:x/y.py");
    writeFileSync(join(base, "user", "latin.py"), new Uint8Array([0xff, 0xfe]));
    await expect(store.load("latin.py")).rejects.toThrow("valid UTF-8");
  });
});
