/**
 * Which Parquet files of a table to merge next. Files meet in time windows of growing length: an hour, a day, thirty days;
 * so a year of small files ends as a few dozen. Only neighbours are merged: whatever other file overlaps the merge in time
 * is older than all of it or newer than all of it, so which value is newer never changes (design §8.7).
 */
import type { PersistedFile } from "./manifest.ts";
import { chunkStart } from "./chunk-rows.ts";
import { MERGE_FILES_MAX, MERGE_FILES_MIN, MERGE_TINY_BYTES } from "./limits.ts";

export interface MergePlan {
  /** Oldest first. */
  readonly files: readonly PersistedFile[];
  readonly windowStart: bigint;
  readonly windowNs: bigint;
}

export interface MergeSetting {
  /** Windows that end at or before it are over: few rows will come to them. */
  readonly closedBeforeNs: bigint;
  /** Memory that a merge of these files takes. */
  readonly costOf: (files: readonly PersistedFile[]) => number;
  readonly costMax: number;
  /** A file that cannot be merged. */
  readonly isBarrier: (file: PersistedFile) => boolean;
}

const HOUR_NS = 3_600_000_000_000n;
/** Each a multiple of the one before, and all of the lengths that `--gen1-duration` allows. Rows of a window are told by offsets below 2^53 ns. */
export const MERGE_WINDOWS_NS: readonly bigint[] = [HOUR_NS, 24n * HOUR_NS, 720n * HOUR_NS];

/** Undefined: nothing is worth merging. */
export function planMerge(files: readonly PersistedFile[], setting: MergeSetting): MergePlan | undefined {
  for (const windowNs of MERGE_WINDOWS_NS) {
    for (const [windowStart, inWindow] of byWindow(files, windowNs)) {
      if (inWindow.length < 2) continue;
      const candidates = inWindow.filter((file) => file.chunkNs <= windowNs);
      if (candidates.length < 2) continue;
      const isClosed = windowStart + windowNs <= setting.closedBeforeNs;
      const run = bestRun(inWindow, { ...setting, isBarrier: (file) => file.chunkNs > windowNs || setting.isBarrier(file) }, isClosed ? 2 : MERGE_FILES_MIN);
      if (run !== undefined) return { files: run, windowStart, windowNs };
    }
  }
  return undefined;
}

/** Files by the windows they overlap; a longer file is in all of its windows that hold shorter ones. */
function byWindow(files: readonly PersistedFile[], windowNs: bigint): ReadonlyMap<bigint, readonly PersistedFile[]> {
  const windows = new Map<bigint, PersistedFile[]>();
  const longer: PersistedFile[] = [];
  for (const file of files) {
    if (file.chunkNs > windowNs) {
      longer.push(file);
      continue;
    }
    const start = chunkStart(file.chunkTime, windowNs);
    const list = windows.get(start);
    if (list === undefined) windows.set(start, [file]);
    else list.push(file);
  }
  for (const [start, list] of windows) {
    if (list.length > 1) list.push(...longer.filter((file) => file.chunkTime < start + windowNs && file.chunkTime + file.chunkNs > start));
  }
  return windows;
}

/** The neighbours whose merge takes most files away, such that no large file is rewritten for a small one. */
function bestRun(files: readonly PersistedFile[], { costOf, costMax, isBarrier }: MergeSetting, filesMin: number): readonly PersistedFile[] | undefined {
  const ordered = [...files].sort((left, right) => left.sequenceMin - right.sequenceMin || (left.chunkTime < right.chunkTime ? -1 : 1));
  let best: { readonly files: readonly PersistedFile[]; readonly score: number } | undefined;
  for (let from = 0; from < ordered.length; from++) {
    for (let to = from; to < Math.min(ordered.length, from + MERGE_FILES_MAX); to++) {
      if (isBarrier(ordered[to] as PersistedFile)) break;
      const run = ordered.slice(from, to + 1);
      if (costOf(run) > costMax) break;
      if (run.length < filesMin) continue;
      const balanced = isBalanced(run);
      if (!balanced && run.length < MERGE_FILES_MIN) continue;
      const score = run.length - (balanced ? 0 : MERGE_FILES_MAX);
      if ((best === undefined || score > best.score) && areNeighbours(run, ordered)) best = { files: run, score };
    }
  }
  return best?.files;
}

/** No other file has rows between those of the run, neither in the order of the WAL nor in time. */
function areNeighbours(run: readonly PersistedFile[], files: readonly PersistedFile[]): boolean {
  const [first] = run as [PersistedFile];
  let { timeMin, timeMax, sequenceMin, sequenceMax } = first;
  for (const file of run) {
    if (file.timeMin < timeMin) timeMin = file.timeMin;
    if (file.timeMax > timeMax) timeMax = file.timeMax;
    sequenceMin = Math.min(sequenceMin, file.sequenceMin);
    sequenceMax = Math.max(sequenceMax, file.sequenceMax);
  }
  const inRun = new Set(run);
  return files.every(
    (file) => inRun.has(file) || file.timeMax < timeMin || file.timeMin > timeMax || file.sequenceMax < sequenceMin || file.sequenceMin > sequenceMax,
  );
}

function isBalanced(files: readonly PersistedFile[]): boolean {
  let [sum, largest] = [0, 0];
  for (const { sizeBytes } of files) {
    sum += sizeBytes;
    largest = Math.max(largest, sizeBytes);
  }
  return largest <= Math.max(MERGE_TINY_BYTES, 2 * (sum - largest));
}
