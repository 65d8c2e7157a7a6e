import { expect, test } from "vitest";
import { wantedFiles } from "./wanted-files.ts";

const named = (...values: string[]): readonly string[] | undefined => wantedFiles([], values.map((value, index) => [`k${index}`, value]))?.named;

test("arguments that name a file below the plugin folder, relative or as the plugin sees it", () => {
  expect(named("limits.toml", " sub/schema.json ", "./a.txt", "/plugins/b/c.toml", "two words.csv")).toEqual(["limits.toml", "sub/schema.json", "a.txt", "b/c.toml", "two words.csv"]);
});

test.each(["", "temp", "models/latest", "../secret.toml", "a/../b.toml", "/etc/passwd.txt", ".env", ".venv/x.py", "a/.gh/x.py", "a\\b.toml", "a\u0000.toml", `${"x".repeat(300)}.toml`])("%j names none", (value) => {
  expect(named(value)).toBeUndefined();
});

test("what is granted comes with it; all is all", () => {
  expect(wantedFiles(["certs"], undefined)).toEqual({ granted: ["certs"], named: [] });
  expect(wantedFiles(["certs", "*"], [["file", "a.toml"]])).toEqual({ granted: ["*"], named: [] });
  expect(wantedFiles([], undefined)).toBeUndefined();
});

test("arguments without end are not looked through", () => {
  expect(named(...Array.from({ length: 100 }, (_, n) => `${n}.toml`))).toHaveLength(64);
});
