import { describe, expect, it } from "vitest";
import { installCommand, missingPackages, readPluginRequirements } from "./plugin-requirements.ts";
import type { InstallRequest } from "./install-request.ts";
import { requirementText } from "./requirement.ts";

const read = (files: Readonly<Record<string, string>>): Promise<InstallRequest | readonly string[]> => readPluginRequirements((name) => Promise.resolve(files[name]));

/** As the official repository writes them (influxdata/import, influxdata/system_metrics; manifest_schema_version 1.2). */
const MANIFEST = `manifest_schema_version = "1.2"

[plugin]
name = "import"
exclude = [
  ".git/", "*.pyc", # python = ["not-this"]
]

[dependencies]
database_version = ">=3.8.2"
python = [
  "influxdata-plugin-utils>=0.5.0",
  "requests",
]
`;

describe("what a plugin needs", () => {
  it.each([
    [{}, []],
    [{ "manifest.toml": MANIFEST }, ["influxdata-plugin-utils>=0.5.0", "requests"]],
    [{ "requirements.txt": "requests[socks] >= 2\n-r more.txt\n", "more.txt": "idna # names\n" }, ["requests[socks]>=2", "idna"]],
    [{ "manifest.toml": '[dependencies]\npython = ["a; python_version < \\"4\\"", \'b\']\n', "requirements.txt": "c\n" }, ["a", "b", "c"]],
    [{ "manifest.toml": "[dependencies]\ndatabase_version = \">=3\"\nnested = { x = 1 }\n" }, []],
  ])("is read from %j", async (files, expected) => {
    const request = await read(files);
    expect("requirements" in request && request.requirements.map(({ requirement }) => requirementText(requirement))).toEqual(expected);
  });

  it.each([
    [{ "manifest.toml": '[dependencies]\npython = "requests"\n' }, /python is no list of packages/],
    [{ "manifest.toml": '[dependencies]\npython = ["--index-url", "https://evil.test"]\n' }, /"--index-url" is no package/],
    [{ "manifest.toml": "[dependencies]\npython = [1]\n" }, /holds something that is no text/],
    [{ "requirements.txt": "-e .\n" }, /requirements\.txt: line 1: editable installs would run code/],
    [{ "requirements.txt": "-r ../other/requirements.txt\n" }, /names "\.\.\/other\/requirements\.txt", which is not beside it/],
    [{ "requirements.txt": "git+https://x.test/y\n" }, /cannot be installed/],
  ])("cannot be read from %j", async (files, problem) => expect((await read(files)) as readonly string[]).toEqual([expect.stringMatching(problem)]));
});

describe("what is missing", () => {
  const missing = async (text: string): Promise<unknown> => {
    const request = (await read({ "requirements.txt": text })) as InstallRequest;
    const installed = [{ name: "idna", version: "3.7", extras: [] }, { name: "httpx", version: "1.0b1", extras: ["http2"] }];
    return missingPackages(request.requirements, installed, (name) => name === "psutil");
  };

  it("is what is neither installed in a version that fits, nor built in", async () => {
    expect(await missing("Idna>=3\npsutil>=5\nhttpx[http2]\nrequests>=2\nrequests>=2\n")).toEqual([{ requirement: "requests>=2", installed: undefined }]);
    expect(await missing("idna<3\nhttpx[brotli]\n")).toEqual([{ requirement: "idna<3", installed: "3.7" }, { requirement: "httpx[brotli]", installed: "1.0b1" }]);
  });

  it("leaves out what counts on other systems and versions only", async () => {
    expect(await missing("a; sys_platform == 'win32'\nb; python_version < '3.11'\nc; sys_platform == 'wasi'\n")).toEqual([{ requirement: "c", installed: undefined }]);
  });

  it("has a command that a shell takes", () => {
    const index = { extraIndexUrls: [], findLinks: [], noIndex: false };
    const texts = (...requirements: string[]): { requirement: string; installed: undefined }[] => requirements.map((requirement) => ({ requirement, installed: undefined }));
    expect(installCommand(texts("requests", "idna>=3,<4", "httpx[http2]==1.0"), index)).toBe("influxdb3 install package requests 'idna>=3,<4' 'httpx[http2]==1.0'");
    expect(installCommand(texts("a"), { ...index, indexUrl: "https://i.test/simple?x='y'" })).toBe("influxdb3 install package a --index-url 'https://i.test/simple?x='\\''y'\\'''");
  });
});
