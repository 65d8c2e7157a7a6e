import { describe, expect, it } from "vitest";
import { readConfigFile } from "./config-file.ts";
import { ParsedArguments } from "./parsed-arguments.ts";
import { SERVE_FLAGS } from "./serve-flags.ts";

const read = (text: string): ParsedArguments => new ParsedArguments(new Map(), new Map()).withDefaults(readConfigFile(text, "t.toml", SERVE_FLAGS));

describe("readConfigFile()", () => {
  it("takes texts, numbers, switches and lists, also by other names of a flag", () => {
    const settings = read('node-id = "n"\nwal-files-per-snapshot = 10\nwithout-auth = true\ndisable-authz = ["health", "ping"]\ndisable-telemetry-upload = false');
    expect(settings.text("node-id")).toBe("n");
    expect(settings.text("wal-snapshot-size")).toBe("10");
    expect([settings.isSet("without-auth"), settings.isSet("disable-telemetry-upload")]).toEqual([true, false]);
    expect(settings.list("disable-authz")).toEqual(["health", "ping"]);
  });

  it("stands below flags and environment", () => {
    const flags = new Map([["node-id", { values: ["flag"], count: 0, source: "flag" as const }]]);
    expect(new ParsedArguments(flags, new Map()).withDefaults(readConfigFile('node-id = "file"', "t.toml", SERVE_FLAGS)).text("node-id")).toBe("flag");
  });

  it.each([
    ["node_id = 1", '"node_id" is no setting, perhaps "node-id" is meant'],
    ["[server]\nnode-id = 1", '"server" is no setting'],
    ["without-auth = 1", '"without-auth": true or false is expected'],
    ["node-id = [1]", '"node-id": one value is expected, not a list'],
    ["node-id = { a = 1 }", '"node-id": a text or a number is expected'],
    ['object-store = "s4"', '"object-store": "s4" is none of file,'],
    ["wal-snapshot-size = 1\nwal-files-per-snapshot = 2", '"wal-files-per-snapshot" and "wal-snapshot-size" are the same setting'],
    ["a = 1\nb = 2", '"a" is no setting; "b" is no setting'],
    ["node-id = \nx", "line 1, column"],
  ])("refuses %j", (text, problem) => expect(() => read(text)).toThrow(problem));
});
