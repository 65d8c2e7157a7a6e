// Every attack on executor threads.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeZoo, EXPECTED } from "./zoo-suite.ts";
import { folder, names } from "./zoo-files.ts";

test("the zoo and the table name the same attacks, each with a sentence", () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(names);
  for (const name of names) expect(readFileSync(new URL(`${name}.py`, folder), "utf8")).toMatch(/^"""[A-Z].*\."""\n/);
});

describeZoo("shared", names);
