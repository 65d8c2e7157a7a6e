import { expect, it } from "vitest";
import { machineMemoryBytes } from "./machine-memory.ts";

const V2 = "/sys/fs/cgroup/memory.max";
const V1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";

it.each([
  [{}, 8_000],
  [{ [V2]: "max\n" }, 8_000],
  [{ [V2]: "500\n" }, 500],
  [{ [V1]: "9223372036854771712\n" }, 8_000],
  [{ [V1]: "700\n" }, 700],
  [{ [V2]: "what\n" }, 8_000],
])("machineMemoryBytes(%j) of a machine with 8000", (files: Record<string, string>, expected) => {
  const read = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  };
  expect(machineMemoryBytes(read, 8_000)).toBe(expected);
});
