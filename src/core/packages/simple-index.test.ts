import { describe, expect, it } from "vitest";
import { candidatesOf, fitting } from "./candidates.ts";
import { type IndexFile, parseSimplePage } from "./simple-index.ts";

const H = "0123456789abcdef".repeat(4);
const resolve = (href: string): string | undefined => (URL.canParse(href, "https://index.example/simple/x/") && href.startsWith("http") ? new URL(href).href : href.startsWith("javascript") ? undefined : new URL(href, "https://index.example/simple/x/").href);

describe("parseSimplePage()", () => {
  it("reads JSON (PEP 691) with yanks (PEP 592) and metadata files (PEP 658)", () => {
    const page = JSON.stringify({ meta: { "api-version": "1.0" }, name: "x", files: [
      { filename: "x-1.0-py3-none-any.whl", url: "../../files/x-1.0-py3-none-any.whl", hashes: { sha256: H }, "requires-python": ">=3.8", "core-metadata": { sha256: H } },
      { filename: "x-0.9-py3-none-any.whl", url: "https://files.example/x-0.9-py3-none-any.whl", hashes: {}, yanked: "broken" },
      { filename: "x-0.8-py3-none-any.whl", url: "https://files.example/x-0.8.whl", hashes: { sha256: "short" }, yanked: true, "dist-info-metadata": true },
      { filename: 5, url: "x" }, "nonsense",
    ] });
    expect(parseSimplePage(page, "application/vnd.pypi.simple.v1+json", resolve)).toEqual([
      { fileName: "x-1.0-py3-none-any.whl", url: "https://index.example/files/x-1.0-py3-none-any.whl", sha256: H, requiresPython: ">=3.8", yanked: undefined, metadata: { sha256: H } },
      { fileName: "x-0.9-py3-none-any.whl", url: "https://files.example/x-0.9-py3-none-any.whl", sha256: undefined, requiresPython: undefined, yanked: "broken", metadata: undefined },
      { fileName: "x-0.8-py3-none-any.whl", url: "https://files.example/x-0.8.whl", sha256: undefined, requiresPython: undefined, yanked: "", metadata: { sha256: undefined } },
    ]);
  });

  it("reads HTML (PEP 503)", () => {
    const page = `<!DOCTYPE html><html><body><h1>Links</h1>
      <a href="../../f/x-1.0-py3-none-any.whl#sha256=${H}" data-requires-python="&gt;=3.8" data-core-metadata="sha256=${H}">x-1.0-py3-none-any.whl</a><br/>
      <A HREF='https://files.example/x-1.1-py3-none-any.whl' data-yanked="bad &amp; old">x-1.1-py3-none-any.whl</A>
      <a href="javascript:alert(1)">x-1.2-py3-none-any.whl</a></body></html>`;
    expect(parseSimplePage(page, "text/html", resolve)).toEqual([
      { fileName: "x-1.0-py3-none-any.whl", url: "https://index.example/f/x-1.0-py3-none-any.whl", sha256: H, requiresPython: ">=3.8", yanked: undefined, metadata: { sha256: H } },
      { fileName: "x-1.1-py3-none-any.whl", url: "https://files.example/x-1.1-py3-none-any.whl", sha256: undefined, requiresPython: undefined, yanked: "bad & old", metadata: undefined },
    ]);
  });

  it.each(["", "{", '{"files": 1}', "[]"])("JSON that is no page gives nothing: %j", (text) => expect(parseSimplePage(text, "application/json", resolve)).toBeUndefined());
});

const file = (fileName: string, more: Partial<IndexFile> = {}): IndexFile => ({ fileName, url: `https://f/${fileName}`, sha256: undefined, requiresPython: undefined, yanked: undefined, metadata: undefined, ...more });
const versions = (files: readonly IndexFile[], ...specifiers: string[]): string[] => fitting(candidatesOf("x", files).usable, specifiers).map(({ version }) => version);

describe("candidates", () => {
  const wheel = (version: string, more: Partial<IndexFile> = {}): IndexFile => file(`x-${version}-py3-none-any.whl`, more);

  it("come newest first, by version and not by text", () => expect(versions([wheel("1.9"), wheel("1.10"), wheel("1.2")])).toEqual(["1.10", "1.9", "1.2"]));

  it("say why a version cannot be used", () => {
    const { usable, unusable } = candidatesOf("x", [
      file("x-2.0-cp313-cp313-manylinux_2_17_x86_64.whl"), file("x-2.0.tar.gz"), wheel("1.5", { requiresPython: "<3.10" }), file("x-1.4.tar.gz"), wheel("1.0"), file("y-9-py3-none-any.whl"),
    ]);
    expect(usable.map(({ version }) => version)).toEqual(["1.0"]);
    expect(unusable).toEqual([
      { version: "2.0", reason: "only compiled wheels, such as cp313-cp313-manylinux_2_17_x86_64; only source code, which would have to be built" },
      { version: "1.5", reason: "it needs Python <3.10, and plugins run on 3.13.15" },
      { version: "1.4", reason: "only source code, which would have to be built" },
    ]);
  });

  it("unfinished versions are taken when they are named or alone (PEP 440)", () => {
    expect(versions([wheel("2.0rc1"), wheel("1.0")])).toEqual(["1.0"]);
    expect(versions([wheel("2.0rc1"), wheel("1.0")], ">=2.0rc1")).toEqual(["2.0rc1"]);
    expect(versions([wheel("2.0rc1"), wheel("2.0.dev1")])).toEqual(["2.0rc1", "2.0.dev1"]);
  });

  it("withdrawn versions are taken when they are named exactly (PEP 592)", () => {
    const files = [wheel("2.0", { yanked: "broken" }), wheel("1.0")];
    expect(versions(files, ">=1")).toEqual(["1.0"]);
    expect(versions(files, "==2.0")).toEqual(["2.0"]);
    expect(versions(files, "==2.*")).toEqual([]);
  });
});
