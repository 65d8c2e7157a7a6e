// Goal: the library works as its page says, on every runtime, and its types hold. Method: the page's own examples run from a
// folder that has the package in node_modules, their output held against the comments; a consumer is type-checked.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS, type RuntimeName } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tidemark-library-"));
const page = readFileSync(join(ROOT, "docs/library.md"), "utf8");
const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1] as string);
/** What follows `console.log(…);` in a comment is what it prints. */
const promised = (example: string): string => [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => `${match[1]}\n`).join("");

beforeAll(() => {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "tidemark"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the page has its examples", () => expect(examples.map((example) => promised(example)).every((text) => text !== "")).toBe(true));

describe.each<RuntimeName>(["node", "deno", "bun"])("on %s", (runtime) => {
  it.each(examples.map((example, index) => [index + 1, example] as const))("example %i prints what it says", { timeout: 60_000 }, async (index, example) => {
    const file = join(folder, `${runtime}-${index}.mjs`);
    writeFileSync(file, example);
    const [command, ...prefix] = COMMANDS[runtime];
    const { stdout } = await promisify(execFile)(command as string, [...prefix, file], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } });
    const plain = (text: string): string => text.replaceAll('"kitchen"', "'kitchen'").replaceAll(/\s+/g, " ").replaceAll(/, (?=[}\]])/g, " ");
    expect(plain(stdout)).toBe(plain(promised(example)));
  });
});

it("the types of the package hold for who uses it", async () => {
  const good = join(folder, "good.ts");
  writeFileSync(good, 'import { open, type Database, type Row } from "tidemark";\nconst db: Database = await open("memory:", { log: (line: string) => void line });\nconst rows: Row[] = await db.query("d", "SELECT 1", { a: null });\nfor await (const row of db.stream("d", "SELECT 1")) void row;\nawait db.close();\nvoid rows;\n');
  const bad = join(folder, "bad.ts");
  writeFileSync(bad, 'import { open } from "tidemark";\nconst db = await open("memory:", { nodeId: 5 });\nawait db.write("d");\n');
  const tsc = (file: string): Promise<string> =>
    promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,esnext.disposable", "--types", "", file], { cwd: folder })
      .then(() => "")
      .catch((error: { stdout: string }) => error.stdout);
  expect(await tsc(good)).toBe("");
  expect((await tsc(bad)).match(/error TS/g)?.length).toBe(2);
});
