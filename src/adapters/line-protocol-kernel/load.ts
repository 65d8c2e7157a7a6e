/**
 * The committed line protocol kernel (`runtime-wasm/dist`), compiled once; each parser gets an instance with memory of its
 * own. Nothing is used whose bytes are not the ones the lock file names.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf } from "../../core/errors/database-error.ts";
import type { LineProtocolKernel } from "../../core/line-protocol/kernel.ts";
import type { LogSink } from "../../ports/log-sink.ts";

const NAME = "line-protocol.wasm";

/** Makes kernels of the module in `folder` (its URL ends with "/"). Undefined, here or later, with a line in the log: parse without. */
export async function loadLineProtocolKernel(folder: URL, log: LogSink): Promise<(() => LineProtocolKernel | undefined) | undefined> {
  try {
    const [bytes, lock] = await Promise.all([readFile(new URL(NAME, folder)), readFile(new URL("kernels.lock.json", folder), "utf8")]);
    const expected = (JSON.parse(lock) as { outputs?: Record<string, { sha256?: string } | undefined> }).outputs?.[NAME]?.sha256;
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== expected) return unusable(log, `it has the hash ${found}, the lock file says ${expected}`);
    const module = new WebAssembly.Module(bytes);
    return () => instantiate(module, log);
  } catch (error) {
    return unusable(log, messageOf(error));
  }
}

function unusable(log: LogSink, reason: string): undefined {
  log.log("warn", `The line protocol kernel cannot be used, so writes need about twice the CPU time: ${reason}`);
}

/** Takes 32 MiB of address space; where there is none, the parser does without. */
function instantiate(module: WebAssembly.Module, log: LogSink): LineProtocolKernel | undefined {
  try {
    return callsOf(new WebAssembly.Instance(module, {}));
  } catch (error) {
    return unusable(log, messageOf(error));
  }
}

function callsOf(instance: WebAssembly.Instance): LineProtocolKernel {
  const { memory, ...calls } = instance.exports as unknown as Omit<LineProtocolKernel, "memory"> & { memory: WebAssembly.Memory };
  return { ...calls, memory: memory.buffer as ArrayBuffer };
}
