import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { TIDEMARK_VERSION } from "./version.ts";

it("TIDEMARK_VERSION is the package's version", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  expect(TIDEMARK_VERSION).toBe(version);
});
