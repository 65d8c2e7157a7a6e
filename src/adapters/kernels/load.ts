/**
 * The committed WebAssembly kernels (`runtime-wasm/dist`), each compiled once; every user gets an instance with memory of
 * its own. Nothing is used whose bytes are not the ones the lock file names.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf } from "../../core/errors/database-error.ts";
import type { LineProtocolKernel } from "../../core/line-protocol/kernel.ts";
import type { ParquetKernel } from "../../core/parquet/kernel-pages.ts";
import type { LogSink } from "../../ports/log-sink.ts";

/** Undefined, with a line in the log: there is no memory for one, so do without. */
export type MakeKernel<Kernel> = () => Kernel | undefined;

/** Undefined, with a line in the log: do without. `folder`: its URL ends with "/". */
export function loadLineProtocolKernel(folder: URL, log: LogSink): Promise<MakeKernel<LineProtocolKernel> | undefined> {
  return load<LineProtocolKernel>({ folder, file: "line-protocol.wasm", log, without: "The line protocol kernel cannot be used, so writes need about twice the CPU time" });
}

export function loadParquetKernel(folder: URL, log: LogSink): Promise<MakeKernel<ParquetKernel> | undefined> {
  return load<ParquetKernel>({ folder, file: "parquet.wasm", log, without: "The Parquet kernel cannot be used, so snapshots need about twice the CPU time" });
}

interface Source {
  readonly folder: URL;
  readonly file: string;
  readonly log: LogSink;
  /** What that means. */
  readonly without: string;
}

async function load<Kernel>(source: Source): Promise<MakeKernel<Kernel> | undefined> {
  const { folder, file } = source;
  try {
    const [bytes, lock] = await Promise.all([readFile(new URL(file, folder)), readFile(new URL("kernels.lock.json", folder), "utf8")]);
    const expected = (JSON.parse(lock) as { outputs?: Record<string, { sha256?: string } | undefined> }).outputs?.[file]?.sha256;
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== expected) return unusable(source, `it has the hash ${found}, the lock file says ${expected}`);
    const module = new WebAssembly.Module(bytes);
    return () => instantiate<Kernel>(module, source);
  } catch (error) {
    return unusable(source, messageOf(error));
  }
}

function unusable({ log, without }: Source, reason: string): undefined {
  log.log("warn", `${without}: ${reason}`);
}

/** Takes address space; where there is none, its user does without. */
function instantiate<Kernel>(module: WebAssembly.Module, source: Source): Kernel | undefined {
  try {
    const { memory, ...calls } = new WebAssembly.Instance(module, {}).exports as { memory: WebAssembly.Memory };
    return { ...calls, memory: memory.buffer } as Kernel;
  } catch (error) {
    return unusable(source, messageOf(error));
  }
}
