// Goal: packages are installed whole or not at all, from an index that may be anyone's. Method: wheels and an index made by the
// test on loopback; after every failure the environment is what it was.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolderEnvironment, type FolderEnvironment } from "../../src/adapters/package-environment/folder.ts";
import { unpackWheel, wheelMetadata } from "../../src/adapters/package-environment/unpack-wheel.ts";
import { createHttpPackageIndex } from "../../src/adapters/package-index/http-index.ts";
import { readInstallRequest, type InstallRequest } from "../../src/core/packages/install-request.ts";
import { PackageService, type InstallReport } from "../../src/engine/packages/package-service.ts";
import { buildWheel, startIndex, type TestIndex } from "../support/wheels.ts";

let folder: string;
let index: TestIndex;
let environment: FolderEnvironment;
let service: PackageService;
let steps: string[];
const files = new Map<string, string>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-packages-"));
  index = await startIndex();
  files.clear();
  steps = [];
  open();
});
afterEach(async () => {
  await index.close();
  rmSync(folder, { recursive: true, force: true });
});

let names = 0;
function open(indexUrl = index.url): void {
  environment = createFolderEnvironment(join(folder, "env"), () => `t${names++}`);
  service = new PackageService({
    environment, index: createHttpPackageIndex({ tryAgainMs: 0 }), metadataOf: wheelMetadata, builtIn: new Map([["psutil", "psutil is built in"]]),
    defaults: { indexUrl, extraIndexUrls: [], findLinks: [], noIndex: false },
  });
}

async function request(...words: string[]): Promise<InstallRequest> {
  const read = (location: string): Promise<{ location: string; text: string }> => Promise.resolve({ location, text: files.get(location) ?? "" });
  const parsed = await readInstallRequest({ packages: words, requirementsFiles: [] }, read);
  if (!("requirements" in parsed)) throw new Error(parsed.join("; "));
  return parsed;
}

const install = async (...words: string[]): Promise<InstallReport> => service.install(await request(...words), ({ step, name }) => void steps.push(`${step} ${name}`));
const installed = async (): Promise<Record<string, string>> => Object.fromEntries((await environment.installed()).map(({ name, version }) => [name, version]));
const siteFile = async (path: string): Promise<string> => readFileSync(join((await environment.sitePackages()) ?? "", path), "utf8");

/** Everything below the environment but the cache. */
function snapshot(): string {
  const root = join(folder, "env");
  if (!existsSync(root)) return "";
  return readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes("cache")).map((entry) => join(entry.parentPath, entry.name)).sort().join("\n");
}

/** Installing fails with these words, and nothing is different. */
async function refuses(words: readonly string[], expected: { readonly code: string; readonly message: RegExp; readonly hint?: RegExp }): Promise<void> {
  const before = snapshot();
  const failure = await install(...words).then(() => undefined, (error: unknown) => error as { code: string; message: string; hint: string });
  expect(failure, "it should have failed").toBeDefined();
  expect([failure?.code, failure?.message]).toEqual([expected.code, expect.stringMatching(expected.message)]);
  if (expected.hint !== undefined) expect(failure?.hint).toMatch(expected.hint);
  expect(snapshot()).toBe(before);
}

const add = (name: string, version: string, requires: readonly string[] = [], more: Parameters<TestIndex["add"]>[1] = {}): void => index.add(buildWheel({ name, version, requires }), more);

/** Calls for each entry of the archive's directory; the uncompressed size stands 24 bytes after its start. */
function patchDirectory(bytes: Uint8Array, patch: (view: DataView, at: number) => unknown): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length - 46; at++) if (view.getUint32(at, true) === 0x02014b50) patch(view, at);
}

describe("installing", () => {
  it("unpacks a package and what it needs, with dist-info, and locks their hashes", async () => {
    add("requests", "2.32.0", ["idna>=2.5,<4", "PySocks; extra == 'socks'", "colorama; sys_platform == 'win32'"]);
    add("idna", "3.7");
    add("idna", "4.0");
    const report = await install("Requests");
    expect(report).toEqual({ installed: [{ name: "idna", version: "3.7", before: undefined }, { name: "requests", version: "2.32.0", before: undefined }], removed: [], unchanged: [], notes: [], dryRun: false });
    expect(await siteFile("idna/__init__.py")).toBe('__version__ = "3.7"\n');
    expect(await siteFile("requests-2.32.0.dist-info/INSTALLER")).toBe("tidemark\n");
    const lock = JSON.parse(readFileSync(join(folder, "env", "tidemark-packages.json"), "utf8")) as { packages: object[] };
    expect(lock.packages).toEqual([
      { name: "idna", version: "3.7", fileName: "idna-3.7-py3-none-any.whl", sha256: buildWheel({ name: "idna", version: "3.7" }).sha256, extras: [], requiredBy: ["requests"], requested: false },
      expect.objectContaining({ name: "requests", requested: true, requiredBy: [] }),
    ]);
    expect(steps).toContain("download idna");
  });

  it("asks for metadata instead of wheels where the index has it", async () => {
    add("a", "1.0", ["b"]);
    add("b", "1.0", [], { withMetadata: false });
    await install("a", "--dry-run");
    expect(index.asked.filter((path) => path.startsWith("/files/"))).toEqual(expect.arrayContaining(["/files/a-1.0-py3-none-any.whl.metadata", "/files/b-1.0-py3-none-any.whl"]));
  });

  it("changes nothing with --dry-run, and tells what it would", async () => {
    add("a", "1.0");
    expect(await install("a", "--dry-run")).toMatchObject({ installed: [{ name: "a", version: "1.0" }], dryRun: true });
    expect(await installed()).toEqual({});
  });

  it("keeps what is installed, upgrades when asked, replaces in one step and leaves no old folder", async () => {
    add("a", "1.0");
    await install("a");
    add("a", "2.0");
    add("b", "1.0", ["a"]);
    expect(await install("b")).toMatchObject({ installed: [{ name: "b" }], unchanged: [{ name: "a", version: "1.0" }] });
    expect(await install("a", "-U")).toMatchObject({ installed: [{ name: "a", version: "2.0", before: "1.0" }] });
    expect(readdirSync(join(folder, "env")).filter((name) => name.startsWith("tidemark-set-")).length).toBe(1);
    expect(await install("a")).toMatchObject({ installed: [] });
  });

  it("reads HTML indexes, names in any spelling, extras and several indexes", async () => {
    const html = await startIndex("html");
    try {
      html.add(buildWheel({ name: "Foo.Bar", version: "1.0", requires: ["baz; extra == 'fast'"], files: { "foobar.py": "" } }));
      add("baz", "1.0");
      expect(await install("foo_bar[FAST]", "--index-url", html.url, `--extra-index-url=${index.url}`)).toMatchObject({ installed: [{ name: "baz" }, { name: "foo-bar" }] });
    } finally {
      await html.close();
    }
  });

  it("takes wheels from a folder without any index", async () => {
    const wheels = join(folder, "wheels");
    mkdirSync(wheels);
    for (const wheel of [buildWheel({ name: "a", version: "1.0", requires: ["b"] }), buildWheel({ name: "b", version: "1.0" })]) writeFileSync(join(wheels, wheel.fileName), wheel.bytes);
    await install("a", "--no-index", "--find-links", wheels);
    expect(await installed()).toEqual({ a: "1.0", b: "1.0" });
    expect(index.asked).toEqual([]);
  });

  it("works offline with what it has fetched before", async () => {
    add("a", "1.0", ["b"]);
    add("b", "1.0");
    await install("a");
    const gone = await startIndex();
    await gone.close();
    open(gone.url);
    expect(await install("a")).toMatchObject({ installed: [], unchanged: [{ name: "a" }, { name: "b" }] });
    await refuses(["new"], { code: "package.index_unavailable", message: /cannot be read: .*(refused|ECONNREFUSED)/ });
  });

  it("reads requirements files with hashes, constraints and includes", async () => {
    add("a", "1.0", ["b"]);
    add("b", "1.0");
    add("b", "2.0");
    files.set("r.txt", "-r more.txt\n-c bounds.txt\n");
    files.set("more.txt", "a==1.0  # pinned");
    files.set("bounds.txt", "b<2");
    await install("-r", "r.txt");
    expect(await installed()).toEqual({ a: "1.0", b: "1.0" });
    files.set("hashed.txt", `a==1.0 --hash=sha256:${"0".repeat(64)}`);
    await refuses(["-r", "hashed.txt"], { code: "package.conflict", message: /The wheel of a 1\.0 has none of the hashes/ });
    files.set("half.txt", `a==1.0 --hash=sha256:${buildWheel({ name: "a", version: "1.0", requires: ["b"] }).sha256}`);
    await refuses(["-r", "half.txt"], { code: "package.conflict", message: /b 1\.0 has no hash in the requirements/, hint: /--hash=sha256:[0-9a-f]{64}/ });
  });

  it("says that a package is built in, and installs nothing for it", async () => expect(await install("psutil>=5")).toMatchObject({ installed: [], notes: ["psutil is built in"] }));

  it("sends credentials to their own host only, and never shows them", async () => {
    const other = await startIndex();
    try {
      const wheel = buildWheel({ name: "a", version: "1.0" });
      other.add(wheel);
      index.answerWith = (path) => (path === "/simple/a/" ? { status: 302, headers: { location: `${other.url}/a/` } } : undefined);
      open(index.url.replace("//", "//user:p%40ss@"));
      await install("a");
      expect(index.authorizations.get("/simple/a/")).toBe(`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
      expect(other.authorizations.get("/simple/a/")).toBeUndefined();
      index.answerWith = () => ({ status: 403 });
      await refuses(["b"], { code: "package.index_unavailable", message: /^The package index "http:\/\/127\.0\.0\.1:\d+\/simple\/b\/" cannot be read: it answered 403$/ });
    } finally {
      await other.close();
    }
  });
});

describe("what cannot be installed", () => {
  it("a compiled package: refused before anything changes, with the missing tag and a way on", async () => {
    index.addFile("pandas-2.2.0-cp313-cp313-manylinux_2_17_x86_64.whl");
    index.addFile("pandas-2.2.0.tar.gz");
    add("useful", "1.0", ["pandas"]);
    await refuses(["pandas"], { code: "package.conflict", message: /^pandas 2\.2\.0 cannot run in a plugin: only compiled wheels, such as cp313-cp313-manylinux_2_17_x86_64/, hint: /py3-none-any/ });
    await refuses(["useful"], { code: "package.conflict", message: /\(useful needs it\)/ });
  });

  it("a conflict is explained", async () => {
    add("a", "1.0", ["c<2"]);
    add("b", "1.0", ["c>=2"]);
    add("c", "1.0");
    add("c", "2.0");
    await refuses(["a", "b"], { code: "package.conflict", message: /No version of c fits everyone: .*a 1\.0 needs c<2.*b 1\.0 needs c>=2/ });
  });

  it("yanked versions, unless named exactly", async () => {
    add("a", "2.0", [], { yanked: "broken" });
    add("a", "1.0");
    await install("a");
    expect(await installed()).toEqual({ a: "1.0" });
    await install("a==2.0");
    expect(await installed()).toEqual({ a: "2.0" });
  });

  it("a package for another Python", async () => {
    add("a", "1.0", [], { requiresPython: "<3.10" });
    await refuses(["a"], { code: "package.conflict", message: /it needs Python <3\.10, and plugins run on 3\.13/ });
  });

  it("a wheel that is not what the index promised", async () => {
    add("a", "1.0", [], { sha256: "0".repeat(64) });
    await refuses(["a"], { code: "package.corrupt", message: /"a-1\.0-py3-none-any\.whl" has another hash than the index says/ });
  });

  it("a wheel whose metadata is another package's", async () => {
    const wheel = buildWheel({ name: "evil", version: "1.0" });
    index.add({ ...wheel, fileName: "a-1.0-py3-none-any.whl" });
    await refuses(["a"], { code: "package.conflict", message: /a 1\.0 cannot be used: its metadata is that of evil 1\.0/ });
  });

  it.each([
    ["broken hash in RECORD", { wrongHashes: ["a/__init__.py"] }, /"a\/__init__\.py" has another hash than RECORD says/],
    ["a file that RECORD does not list", { unrecorded: ["a/__init__.py"] }, /"a\/__init__\.py" is not listed in RECORD/],
    ["a path that climbs", { files: { "../evil.py": "" } }, /the path "\.\.\/evil\.py" is not allowed/],
    ["a path that climbs inside", { files: { "a/../../evil.py": "" } }, /is not allowed/],
    ["an absolute path", { files: { "/etc/evil.py": "" } }, /is not allowed/],
    ["a drive", { files: { "C:/evil.py": "" } }, /is not allowed/],
    ["a backslash", { files: { "a\\..\\evil.py": "" } }, /is not allowed/],
  ] as const)("%s", async (_name, options, message) => {
    index.add(buildWheel({ name: "a", version: "1.0", ...options }));
    await refuses(["a"], { code: "package.corrupt", message });
  });

  it("a zip bomb, before it is inflated", async () => {
    const wheel = buildWheel({ name: "a", version: "1.0", files: { "a/big.bin": new Uint8Array(1_000_000) } });
    patchDirectory(wheel.bytes, (view, at) => view.getUint32(at + 24, true) === 1_000_000 && view.setUint32(at + 24, 600_000_000, true));
    index.add(wheel, { sha256: createHash("sha256").update(wheel.bytes).digest("hex") });
    await refuses(["a"], { code: "package.corrupt", message: /it would take more than 536870912 bytes/ });
  });

  it("an archive that lies about its sizes", () => {
    const { bytes } = buildWheel({ name: "a", version: "1.0", files: { "a.py": "x = 1\n".repeat(10_000) } });
    patchDirectory(bytes, (view, at) => view.getUint32(at + 24, true) === 60_000 && view.setUint32(at + 24, 10, true));
    expect(() => unpackWheel(bytes, "a.whl")).toThrow(/another size than the archive says|another hash than RECORD says|no whole zip archive/);
  });

  it("a symlink is unpacked as what it is made of, a text", async () => {
    const { bytes } = buildWheel({ name: "a", version: "1.0", files: { "a/link.py": "/etc/passwd" } });
    patchDirectory(bytes, (view, at) => (view.setUint16(at + 4, (3 << 8) | 20, true), view.setUint32(at + 38, 0o120777 << 16, true)));
    expect(new TextDecoder().decode(unpackWheel(bytes, "a.whl").get("a/link.py"))).toBe("/etc/passwd");
  });

  it("two packages that bring the same file", async () => {
    index.add(buildWheel({ name: "a", version: "1.0", files: { "shared.py": "x = 1" } }));
    index.add(buildWheel({ name: "b", version: "1.0", files: { "shared.py": "x = 2" } }));
    await refuses(["a", "b"], { code: "package.corrupt", message: /both bring the file "shared\.py"/ });
  });

  it("what is no zip at all", () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(100), zipSync({ "a.py": new Uint8Array(5) }).subarray(0, 40)]) expect(() => unpackWheel(bytes, "a.whl")).toThrow(/cannot be installed/);
  });

  it.each([
    [["--nonsense"], 'the option "--nonsense" is not known here'],
    [["git+https://example.com/x"], "cannot be installed"],
    [["./x.whl"], "cannot be installed"],
    [["--index-url"], "--index-url needs a value"],
  ])("the words %j", async (words, problem) => expect(request(...words)).rejects.toThrow(problem));
});

describe("uninstalling", () => {
  it("takes what only these needed along, and refuses what others need", async () => {
    add("a", "1.0", ["b", "c"]);
    add("b", "1.0");
    add("c", "1.0");
    await install("a", "c");
    await expect(service.uninstall(["B"])).rejects.toMatchObject({ code: "package.invalid", message: "a needs b" });
    await expect(service.uninstall(["nope"])).rejects.toMatchObject({ message: "The package nope is not installed" });
    index.asked.length = 0;
    expect(await service.uninstall(["a"])).toMatchObject({ removed: [{ name: "a", version: "1.0" }, { name: "b", version: "1.0" }], unchanged: [{ name: "c" }] });
    expect(index.asked).toEqual([]);
    expect(await installed()).toEqual({ c: "1.0" });
  });
});

it("a crash while unpacking leaves the old packages in force", async () => {
  add("a", "1.0");
  await install("a");
  mkdirSync(join(folder, "env", "tidemark-set-half", "site-packages"), { recursive: true });
  open();
  expect(await installed()).toEqual({ a: "1.0" });
  expect(await siteFile("a/__init__.py")).toContain("1.0");
  add("b", "1.0");
  await install("b");
  expect(existsSync(join(folder, "env", "tidemark-set-half"))).toBe(false);
});
