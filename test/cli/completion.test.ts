// Goal: the completion scripts offer what may stand at a place. Method: real shells run the scripts; bash is everywhere that
// these tests run, zsh and fish only where they are installed.
import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { influxdb3 } from "./fake-terminal.ts";

const has = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
const script = async (shell: string): Promise<string> => (await influxdb3(`completion ${shell}`)).stdout;
const sorted = (words: string): string[] => words.trim().split(/\s+/).sort();

/** The words at the end of a command line, and what is to be offered there. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["cr"], ["create"]],
  [["delete", "t"], ["table", "token", "trigger"]],
  [["create", "token", "--form"], ["--format"]],
  [["create", "token", "--format", ""], ["json", "text"]],
  [["create", "token", "--name", "x", "--off"], ["--offline"]],
  [["-d", "x"], []],
  [["query", "-l", "i"], ["influxql"]],
  [["nonsense", "sho"], ["show"]],
];

describe.skipIf(!has("bash"))("bash", () => {
  it.each(CASES)("after %j", async (words, offered) => {
    const probe = 'COMP_WORDS=(influxdb3 "$@"); COMP_CWORD=$#; COMPREPLY=(); _tidemark_complete; echo "${COMPREPLY[*]}"';
    const found = execFileSync("bash", ["-c", `${await script("bash")}\n${probe}`, "bash", ...words], { encoding: "utf8" });
    expect(sorted(found).filter((word) => word !== "")).toEqual(offered);
  });
});

describe.skipIf(!has("fish"))("fish", () => {
  it.each(CASES.filter(([words]) => words[0] !== "-d" && words[0] !== "nonsense"))("after %j", async (words, offered) => {
    const probe = `complete -C"influxdb3 ${words.join(" ")}"`;
    const found = execFileSync("fish", ["-c", `${await script("fish")}\n${probe}`], { encoding: "utf8" });
    expect(found.split("\n").map((line) => line.split("\t")[0] as string).filter((word) => word !== "").sort()).toEqual(offered);
  });
});

describe.skipIf(!has("zsh"))("zsh", () => {
  it("chooses by the path of commands and takes the values of a flag", async () => {
    const stubs = 'compdef() { :; }; _describe() { print -r -- "${(@P)2}"; }; _files() { print files; }; compadd() { shift; print -r -- "$@"; }';
    const probe = 'words=(influxdb3 "$@"); CURRENT=$(( $# + 1 )); _tidemark_complete';
    const run = (text: string, words: readonly string[]): string => execFileSync("zsh", ["-f", "-c", `${stubs}\n${text}\n${probe}`, "zsh", ...words], { encoding: "utf8" });
    const text = await script("zsh");
    expect(run(text, ["create", ""])).toMatch(/^database:Create a database table:/);
    expect(run(text, ["create", "token", "--format", ""])).toBe("text json\n");
    expect(run(text, ["query", "-f", ""])).toBe("files\n");
  });
});

it("offers no hidden commands and flags", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const text = await script(shell);
    expect(text).toContain("regenerate");
    expect(text).not.toMatch(/datafusion|debug catalog/);
  }
});
