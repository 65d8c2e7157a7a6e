// Goal: `gh:` names (spec: processing-engine §14.4), pinned by hash and usable without network. Method: a repository
// that answers from a map and counts.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PluginRepository } from "../../ports/plugin-repository.ts";
import type { PluginStore } from "../../ports/plugin-store.ts";
import { createFolderPluginStore, pinsFolder } from "./folder.ts";
import { PLUGIN_BYTES_MAX } from "./limits.ts";
import { OFFICIAL_REPOSITORY } from "./moved-paths.ts";
import { Pins } from "./pins.ts";

const BASE = "https://plugins.test/main";

class FakeRepository implements PluginRepository {
  readonly files = new Map<string, string | Uint8Array>();
  readonly asked: string[] = [];
  status: number | "offline" = 200;

  async get(url: string, { bytesMax }: { bytesMax: number }): Promise<{ status: number; statusText: string; body: Uint8Array }> {
    this.asked.push(url);
    if (this.status === "offline") throw new Error("getaddrinfo ENOTFOUND plugins.test");
    expect(bytesMax).toBe(PLUGIN_BYTES_MAX);
    if (this.status !== 200) return { status: this.status, statusText: "Service Unavailable", body: new Uint8Array() };
    const file = this.files.get(url);
    if (file === undefined) return { status: 404, statusText: "Not Found", body: new Uint8Array() };
    return { status: 200, statusText: "OK", body: typeof file === "string" ? new TextEncoder().encode(file) : file };
  }
}

let base: string;
let http: FakeRepository;
let warnings: string[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tidemark-repository-"));
  mkdirSync(join(base, "user"));
  mkdirSync(join(base, "bundled", "system_metrics"), { recursive: true });
  writeFileSync(join(base, "bundled", "system_metrics", "system_metrics.py"), "bundled metrics");
  http = new FakeRepository();
  warnings = [];
});
afterEach(() => rmSync(base, { recursive: true }));

/** A new one is what a restarted server has. */
function open(repo: string | undefined = BASE): PluginStore {
  const folder = join(base, "user");
  let count = 0;
  const log = { log: (level: string, text: string) => void (level === "warn" && warnings.push(text)) };
  const randomName = (): string => String(count++);
  return createFolderPluginStore({ folder, overlay: join(base, "bundled"), randomName, repository: { base: repo, http, log, pins: new Pins({ folder: pinsFolder(folder), randomName, log }) } });
}

describe("gh:", () => {
  it("is a GET of base and path, with the slash that the base lacks", async () => {
    http.files.set(`${BASE}/a/b.py`, "code");
    expect(await open().load("gh:a/b.py")).toMatchObject({ fileName: "gh:a/b.py", source: "code", module: "b" });
    expect(await open(`${BASE}/`).newest("gh:/a/b.py", { pin: false })).toMatchObject({ source: "code" });
    expect(http.asked).toEqual([`${BASE}/a/b.py`, `${BASE}/a/b.py`]);
  });

  it("has the official repository as default", async () => {
    http.files.set(`${OFFICIAL_REPOSITORY}influxdata/downsampler/downsampler.py`, "code");
    const store = createFolderPluginStore({ folder: join(base, "user"), overlay: undefined, randomName: () => "r", repository: { base: undefined, http, log: { log: () => undefined }, pins: new Pins({ folder: undefined, randomName: () => "r", log: { log: () => undefined } }) } });
    expect((await store.load("gh:influxdata/downsampler/downsampler.py")).source).toBe("code");
  });

  it("has files beside the code, also of a path that moved; without an answer there are none", async () => {
    const store = open();
    http.files.set(`${BASE}/a/manifest.toml`, "beside a");
    http.files.set(`${BASE}/influxdata/river_forecaster/requirements.txt`, "river");
    http.files.set(`${BASE}/influxdata/nori_regression/requirements.txt`, "nori");
    expect(await store.beside("gh:a/b.py", "manifest.toml")).toBe("beside a");
    expect(await store.manifest("gh:a/b.py")).toBe("beside a");
    expect(await store.beside("gh:a/b.py", "requirements.txt")).toBeUndefined();
    expect(await store.beside("gh:influxdata/river_forecaster/forecaster.py", "requirements.txt")).toBe("river");
    expect(await store.beside("gh:influxdata/synthefy_nori_regression/synthefy_nori_regression.py", "requirements.txt")).toBe("nori");
    http.status = "offline";
    expect(await store.beside("gh:a/b.py", "manifest.toml")).toBeUndefined();
  });

  it("stays what it was until it is fetched with a pin again", async () => {
    const store = open();
    http.files.set(`${BASE}/a.py`, "one");
    const first = await store.newest("gh:a.py", { pin: true });
    http.files.set(`${BASE}/a.py`, "two");
    expect(await store.load("gh:a.py")).toBe(first);
    expect((await store.newest("gh:a.py", { pin: false })).source).toBe("two");
    expect((await store.load("gh:a.py")).source).toBe("one");
    expect((await store.newest("gh:a.py", { pin: true })).source).toBe("two");
    expect((await store.load("gh:a.py")).source).toBe("two");
    expect(warnings).toEqual([expect.stringContaining("has changed since it was fetched last")]);
    expect((await store.load("gh:a.py")).revision).not.toBe(first.revision);
  });

  it("is kept with its SHA-256 and needs no network after a restart", async () => {
    http.files.set(`${BASE}/a.py`, "one");
    await open().newest("gh:a.py", { pin: true });
    http.status = "offline";
    http.asked.length = 0;
    expect((await open().load("gh:a.py")).source).toBe("one");
    expect(http.asked).toEqual([]);
    const sha256 = createHash("sha256").update("one").digest("hex");
    expect(JSON.parse(readFileSync(join(base, "user", ".gh", "pins.json"), "utf8"))).toEqual([{ url: `${BASE}/a.py`, sha256 }]);
    expect(readFileSync(join(base, "user", ".gh", sha256), "utf8")).toBe("one");
  });

  it.each([["offline" as const], [503]])("is what it was when a new trigger finds the repository %s", async (status) => {
    http.files.set(`${BASE}/a.py`, "one");
    await open().newest("gh:a.py", { pin: true });
    http.status = status;
    expect((await open().newest("gh:a.py", { pin: true })).source).toBe("one");
    expect(warnings).toEqual([expect.stringContaining("the copy of the last time is used")]);
  });

  it("drops a copy that was tampered with, and fetches again", async () => {
    http.files.set(`${BASE}/a.py`, "one");
    await open().newest("gh:a.py", { pin: true });
    const sha256 = createHash("sha256").update("one").digest("hex");
    writeFileSync(join(base, "user", ".gh", sha256), "evil");
    expect((await open().load("gh:a.py")).source).toBe("one");
    expect(http.asked).toHaveLength(2);
    expect(warnings).toEqual([expect.stringContaining("does not match its hash")]);
  });

  it("removes contents that nothing names any more", async () => {
    const store = open();
    for (const text of ["one", "two", "three"]) {
      http.files.set(`${BASE}/a.py`, text);
      await store.newest("gh:a.py", { pin: true });
    }
    const kept = createHash("sha256").update("three").digest("hex");
    expect(readdirSync(join(base, "user", ".gh")).sort()).toEqual([kept, "pins.json"].sort());
  });

  it("keeps nothing that is not text or that a test run only looked at", async () => {
    http.files.set(`${BASE}/latin.py`, Uint8Array.of(0xff));
    http.files.set(`${BASE}/seen.py`, "x");
    await expect(open().newest("gh:latin.py", { pin: true })).rejects.toThrow("stream did not contain valid UTF-8: gh:latin.py");
    await open().newest("gh:seen.py", { pin: false });
    expect(existsSync(join(base, "user", ".gh"))).toBe(false);
  });

  it("says which status came for which URL", async () => {
    await expect(open().newest("gh:none.py", { pin: true })).rejects.toMatchObject({ code: "plugin.repository", message: `Plugin error: error fetching plugin from repository: 404 Not Found ${BASE}/none.py` });
    http.status = "offline";
    await expect(open().load("gh:none.py")).rejects.toThrow(`Plugin error: error fetching plugin from repository: getaddrinfo ENOTFOUND plugins.test ${BASE}/none.py`);
  });

  it.each(["gh:", "gh:../x.py", "gh:a/../x.py", "gh:a//x.py", "gh:./x.py", "gh:a\\x.py", "gh:a?x", "gh:a#x", "gh:a%2e%2e/x", "gh:a\nb", `gh:${"a".repeat(1025)}`])("refuses %j", async (name) => {
    await expect(open().load(name)).rejects.toMatchObject({ code: "plugin.path_outside" });
    expect(http.asked).toEqual([]);
  });

  it("encodes what a URL cannot hold", async () => {
    http.files.set(`${BASE}/a%20b/%C3%A9.py`, "x");
    expect((await open().load("gh:a b/é.py")).source).toBe("x");
  });

  it("lists no files", async () => expect(await open().files("gh:a.py")).toEqual([]));
});

describe("paths that moved", () => {
  const OLD = "gh:examples/schedule/system_metrics/system_metrics.py";

  it("the tutorial's system_metrics is the bundled one, without asking the official repository", async () => {
    http.status = "offline";
    const log = { log: () => undefined };
    const store = createFolderPluginStore({ folder: join(base, "user"), overlay: join(base, "bundled"), randomName: () => "r", repository: { base: undefined, http, log, pins: new Pins({ folder: undefined, randomName: () => "r", log }) } });
    expect((await store.load(OLD)).source).toBe("bundled metrics");
    expect((await store.newest(OLD, { pin: true })).source).toBe("bundled metrics");
    expect(http.asked).toEqual([]);
  });

  it("another repository's own file goes first, and the bundled one helps when it has none", async () => {
    expect((await open().newest(OLD, { pin: true })).source).toBe("bundled metrics");
    http.files.set(`${BASE}/examples/schedule/system_metrics/system_metrics.py`, "theirs");
    expect((await open().newest(OLD, { pin: true })).source).toBe("theirs");
  });

  it("a path that moved inside the repository is followed when the old one is gone", async () => {
    http.files.set(`${BASE}/influxdata/river_forecaster/river_forecaster.py`, "moved");
    expect((await open().load("gh:influxdata/river_forecaster/forecaster.py")).source).toBe("moved");
    http.files.set(`${BASE}/influxdata/river_forecaster/forecaster.py`, "still there");
    expect((await open().newest("gh:influxdata/river_forecaster/forecaster.py", { pin: false })).source).toBe("still there");
  });
});
