/**
 * One memory limit, divided: every part of the server that holds memory for its data has a limit of its own, and together
 * with what the process itself takes they stay within `--memory-limit`. A flag of a part fixes that part; the others share
 * what is left; plugins get the rest.
 */
import { DatabaseError } from "../errors/database-error.ts";

const MIB = 1_048_576;

/** The least limit that needs no other flag. */
export const MEMORY_BYTES_MIN = 640 * MIB;

/** In the order in which they are shown. */
export const MEMORY_PARTS = ["process", "kernels", "wal_ring", "bodies", "buffer", "queries", "merges", "trigger_feed", "value_caches", "column_cache", "plugins"] as const;
export type MemoryPart = (typeof MEMORY_PARTS)[number];

export type MemoryDivision = Readonly<Record<MemoryPart, number>>;

/** Flags that fix a part. */
const FLAGS: Readonly<Partial<Record<MemoryPart, string>>> = {
  wal_ring: "--wal-ring-size", buffer: "--buffer-size", queries: "--exec-mem-pool-bytes", merges: "--merge-memory", trigger_feed: "--trigger-feed-size", value_caches: "--value-cache-size", column_cache: "--parquet-mem-cache-size",
  plugins: "--plugins-memory",
};

/**
 * Measured: runtime, code, threads, DuckDB and the interpreter's image take 190 MiB; under full ingest with queries what the
 * allocators and collectors hold on to makes 375 MiB of it, beside the parts.
 */
const PROCESS_BYTES = 384 * MIB;
/** Four parsers; their address space is larger, of which only what a body needs is resident. */
const KERNEL_BYTES = 32 * MIB;

/** Share of what process and kernels leave, and its bounds. */
interface Share {
  readonly part: MemoryPart;
  readonly share: number;
  readonly min: number;
  readonly max: number;
}

const SHARES: readonly Share[] = [
  { part: "wal_ring", share: 1 / 12, min: 8 * MIB, max: 64 * MIB },
  // Four of the largest bodies of the default size.
  { part: "bodies", share: 1 / 10, min: 40 * MIB, max: 128 * MIB },
  { part: "buffer", share: 27 / 100, min: 32 * MIB, max: Number.POSITIVE_INFINITY },
  { part: "queries", share: 1 / 5, min: 32 * MIB, max: Number.POSITIVE_INFINITY },
  { part: "merges", share: 1 / 20, min: 16 * MIB, max: 256 * MIB },
  { part: "trigger_feed", share: 1 / 32, min: 4 * MIB, max: 64 * MIB },
  { part: "value_caches", share: 1 / 32, min: 4 * MIB, max: 64 * MIB },
  { part: "column_cache", share: 1 / 20, min: 4 * MIB, max: 128 * MIB },
];

/** Two instances of the interpreter: a plugin's, and the one that checks a plugin's syntax. One takes 8.5 MiB before it runs. */
const PLUGINS_BYTES_MIN = 18 * MIB;

/** Part of the machine's memory (or the container's) that is taken when no limit is given, and the most of it. */
export const MEMORY_SHARE_DEFAULT = 0.75;
export const MEMORY_BYTES_DEFAULT_MAX = 2_048 * MIB;

export const defaultMemoryLimit = (machineBytes: number): number => Math.floor(Math.min(machineBytes * MEMORY_SHARE_DEFAULT, MEMORY_BYTES_DEFAULT_MAX));

/** Throws `server.misconfigured` when the parts do not fit. */
export function divideMemory(limitBytes: number, fixed: Partial<Record<MemoryPart, number>>): MemoryDivision {
  const rest = Math.max(0, limitBytes - PROCESS_BYTES - KERNEL_BYTES);
  const parts: Record<MemoryPart, number> = { process: PROCESS_BYTES, kernels: KERNEL_BYTES, wal_ring: 0, bodies: 0, buffer: 0, queries: 0, merges: 0, trigger_feed: 0, value_caches: 0, column_cache: 0, plugins: 0 };
  for (const { part, share, min, max } of SHARES) parts[part] = fixed[part] ?? wholeWords(Math.min(max, Math.max(min, rest * share)));
  const taken = sumOf(parts);
  parts.plugins = fixed.plugins ?? Math.max(PLUGINS_BYTES_MIN, wholeWords(limitBytes - taken));
  if (sumOf(parts) > limitBytes) throw tooMuch(parts, limitBytes, fixed);
  return parts;
}

/** The ring and the buffer hold records of whole 8-byte words. */
const wholeWords = (bytes: number): number => Math.floor(bytes / 8) * 8;

const sumOf = (parts: MemoryDivision): number => MEMORY_PARTS.reduce((sum, part) => sum + parts[part], 0);

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;

function tooMuch(parts: MemoryDivision, limitBytes: number, fixed: Partial<Record<MemoryPart, number>>): DatabaseError {
  const list = MEMORY_PARTS.map((part) => `${part} ${mebibytes(parts[part])}${fixed[part] === undefined ? "" : ` (${FLAGS[part] ?? "given"})`}`).join(", ");
  return new DatabaseError("server.misconfigured", {
    message: `The parts of the memory take ${mebibytes(sumOf(parts))} together, and the memory limit is ${mebibytes(limitBytes)}: ${list}`,
    hint: "raise --memory-limit, or lower a part by its flag",
    details: { limitBytes },
  });
}
