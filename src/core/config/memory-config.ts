/** The memory flags of a server: sizes, or percentages of what the machine (or its container) has. */
import { DatabaseError } from "../errors/database-error.ts";
import { defaultMemoryLimit, divideMemory, type MemoryDivision, type MemoryPart } from "../memory/divide.ts";
import { RING_BYTES_MIN } from "../wal/limits.ts";
import { parseMemorySize } from "./memory-size.ts";
import type { ServeSettings } from "./serve-config.ts";

/** A size that may need to know the machine. */
export type SizeSetting = { readonly bytes: number } | { readonly percent: number };

export interface MemoryConfig {
  /** Undefined: a part of the machine's memory. */
  readonly limit: SizeSetting | undefined;
  readonly parts: Readonly<Partial<Record<MemoryPart, SizeSetting>>>;
}

/** `--exec-mem-pool-bytes` and `--force-snapshot-mem-threshold` are the reference's names; the latter is of the buffer, like `--buffer-size`. */
const PART_FLAGS: readonly (readonly [MemoryPart, flag: string, bareUnit: "b" | "mb"])[] = [
  ["wal_ring", "wal-ring-size", "mb"],
  ["buffer", "force-snapshot-mem-threshold", "mb"],
  ["buffer", "buffer-size", "mb"],
  ["queries", "exec-mem-pool-bytes", "mb"],
  ["merges", "merge-memory", "mb"],
  ["trigger_feed", "trigger-feed-size", "mb"],
  ["value_caches", "value-cache-size", "mb"],
  ["column_cache", "parquet-mem-cache-size", "mb"],
  ["plugins", "plugins-memory", "mb"],
];

/** Throws `server.misconfigured`. */
export function parseMemoryConfig(settings: ServeSettings): MemoryConfig {
  const parts: Partial<Record<MemoryPart, SizeSetting>> = {};
  for (const [part, flag, bareUnit] of PART_FLAGS) {
    const setting = parseSetting(settings, flag, bareUnit);
    if (setting !== undefined) parts[part] = setting;
  }
  if (settings.isSet("disable-parquet-mem-cache")) parts.column_cache = { bytes: 0 };
  return { limit: parseSetting(settings, "memory-limit", "mb"), parts };
}

function parseSetting(settings: ServeSettings, flag: string, bareUnit: "b" | "mb"): SizeSetting | undefined {
  const text = settings.text(flag);
  if (text === undefined) return undefined;
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  if (percent !== null && Number(percent[1]) > 0 && Number(percent[1]) <= 100) return { percent: Number(percent[1]) };
  const bytes = parseMemorySize(text, { bareUnit });
  if (percent === null && bytes !== undefined && bytes > 0) return { bytes };
  throw new DatabaseError("server.misconfigured", { message: `"${text}" is not a size for --${flag}`, hint: `write it as in --${flag} 64mb, or as a part of the machine's memory: 10%` });
}

export interface ResolvedMemory {
  readonly limitBytes: number;
  readonly parts: MemoryDivision;
}

/** Throws `server.misconfigured` when the parts do not fit the limit, or a part is too small to work. */
export function resolveMemory({ limit, parts }: MemoryConfig, machineBytes: number): ResolvedMemory {
  const bytesOf = (setting: SizeSetting): number => Math.floor("bytes" in setting ? setting.bytes : (machineBytes * setting.percent) / 100);
  const limitBytes = limit === undefined ? defaultMemoryLimit(machineBytes) : bytesOf(limit);
  const fixed: Partial<Record<MemoryPart, number>> = {};
  for (const [part, setting] of Object.entries(parts) as [MemoryPart, SizeSetting][]) fixed[part] = bytesOf(setting);
  if (fixed.wal_ring !== undefined) fixed.wal_ring = wholeRing(fixed.wal_ring);
  return { limitBytes, parts: divideMemory(limitBytes, fixed) };
}

/** Whole 8-byte words, since records are aligned to them. */
function wholeRing(size: number): number {
  if (size >= RING_BYTES_MIN) return size - (size % 8);
  throw new DatabaseError("server.misconfigured", {
    message: `The WAL ring of ${size} bytes is too small`,
    hint: `give --wal-ring-size at least ${RING_BYTES_MIN} bytes: one record may fill half of it`,
  });
}
