import { expect, it } from "vitest";
import { Kept } from "./kept.ts";

it("drops the oldest values when there are too many bytes, and counts what was replaced or deleted", () => {
  const kept = new Kept<string>(10);
  kept.set("a", "A", 4);
  kept.set("b", "B", 4);
  kept.set("a", "A2", 6);
  expect([kept.get("a"), kept.get("b")]).toEqual(["A2", "B"]);
  kept.set("c", "C", 1);
  expect([kept.get("a"), kept.get("b"), kept.get("c")]).toEqual(["A2", undefined, "C"]);
  kept.delete("a");
  kept.set("d", "D", 9);
  expect([...kept.values()]).toEqual(["C", "D"]);
});

it("keeps the newest, however large it is", () => {
  const kept = new Kept<string>(10);
  kept.set("a", "A", 1);
  kept.set("b", "B", 100);
  expect([kept.get("a"), kept.get("b")]).toEqual([undefined, "B"]);
});
