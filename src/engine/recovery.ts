/**
 * Replay on start: every WAL file in order, one file in memory at a time. A torn tail of the last file is cut; damage
 * anywhere else stops the start with the file and the position, unless the operator asked to go on without the rest of
 * that file.
 */
import { DatabaseError, messageOf } from "../core/errors/database-error.ts";
import { walFileName } from "../core/wal/file-name.ts";
import { FILE_HEADER_BYTES } from "../core/wal/record.ts";
import { type BadEnd, readWalFile, type WalRecord } from "../core/wal/reader.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { WalLog } from "../ports/wal-log.ts";
import type { WalFileEnd } from "./group-commit.ts";
import { REPLAY_SLICE_BYTES } from "./storage-limits.ts";

export interface RecoveryOptions {
  readonly wal: WalLog;
  readonly log: LogSink;
  /** Sequences up to it are persisted: they are checked but not applied. */
  readonly persistedSequence: number;
  /** Last WAL file that a snapshot covers; its number is not used again. */
  readonly persistedFile: number;
  /** False: damaged parts are left out, loudly. */
  readonly failOnError: boolean;
  /** Takes a record in; its bytes are valid during the call only. May throw `wal.corrupt`. */
  readonly apply: (record: WalRecord) => void;
  /** Hears of every record, persisted ones too. */
  readonly observe?: (record: WalRecord) => void;
  readonly yieldToEventLoop: () => Promise<void>;
  /** Called now and then, between two records: makes room for what was applied. `files` have been read to their end. */
  readonly relieve?: ((sequence: number, files: readonly WalFileEnd[]) => Promise<void>) | undefined;
}

export interface RecoveryReport {
  /** The next file to create. */
  readonly nextFile: number;
  readonly lastSequence: number;
  /** Files on disk with the last sequence of each. */
  readonly files: readonly WalFileEnd[];
  readonly records: number;
  readonly tornBytes: number;
  readonly damages: number;
}

interface Progress {
  sequence: number;
  files: WalFileEnd[];
  records: number;
  tornBytes: number;
  damages: number;
}

/** Throws `wal.corrupt`. */
export async function recover(options: RecoveryOptions): Promise<RecoveryReport> {
  const files = await options.wal.list();
  const progress: Progress = { sequence: 0, files: [], records: 0, tornBytes: 0, damages: 0 };
  let nextFile = Math.max(files.at(-1) ?? 0, options.persistedFile) + 1;
  for (const [index, file] of files.entries()) {
    const previous = files[index - 1];
    if (previous !== undefined && file !== previous + 1) note(options, progress, file, 0, `file ${previous + 1} is missing before it`);
    const last = index === files.length - 1;
    const rows = new Map<number, number>();
    const replayed: ReplayedFile = { file, last, rows, firstSequence: undefined };
    const size = await replayFile(options, progress, replayed);
    if (size === 0) {
      // Its first commit never ended: the number is free again.
      await options.wal.delete(file);
      nextFile = file;
    } else progress.files.push({ file, firstSequence: replayed.firstSequence ?? progress.sequence, lastSequence: progress.sequence, bytes: size, rows });
    await options.relieve?.(progress.sequence, progress.files);
  }
  return { nextFile, lastSequence: Math.max(progress.sequence, options.persistedSequence), files: progress.files, records: progress.records, tornBytes: progress.tornBytes, damages: progress.damages };
}

interface ReplayedFile {
  readonly file: number;
  readonly last: boolean;
  /** Counted here, by table. */
  readonly rows: Map<number, number>;
  firstSequence: number | undefined;
}

/** Its size; 0: the file holds nothing and may go. */
async function replayFile(options: RecoveryOptions, progress: Progress, replayed: ReplayedFile): Promise<number> {
  const { file, last } = replayed;
  const bytes = await options.wal.read(file);
  const end = await replayRecords(options, progress, replayed, bytes);
  if (end === undefined) return bytes.length;
  if (end.middle || !last) {
    note(options, progress, file, end.offset, end.reason);
    return bytes.length;
  }
  progress.tornBytes += bytes.length - end.offset;
  options.log.log("warn", `WAL file ${walFileName(file)} ends in a write that was never acknowledged (${end.reason}); cut at byte ${end.offset}`, { file, offset: end.offset, lostBytes: bytes.length - end.offset });
  if (end.offset < FILE_HEADER_BYTES) return 0;
  await options.wal.truncate(file, end.offset);
  return end.offset;
}

async function replayRecords(options: RecoveryOptions, progress: Progress, replayed: ReplayedFile, bytes: Uint8Array): Promise<BadEnd | undefined> {
  const { file, rows } = replayed;
  const records = readWalFile(bytes, file);
  let sliceEnd = REPLAY_SLICE_BYTES;
  let offset = FILE_HEADER_BYTES;
  for (;;) {
    const step = records.next();
    if (step.done === true) return step.value;
    const record = step.value;
    if (record.sequence <= progress.sequence) return { offset, reason: `sequence ${record.sequence} after ${progress.sequence}`, middle: true };
    if (progress.sequence === 0 && record.sequence > options.persistedSequence + 1) {
      note(options, progress, file, offset, `sequence ${record.sequence} follows ${options.persistedSequence}: what lay between is missing`);
    }
    replayed.firstSequence ??= record.sequence;
    options.observe?.(record);
    for (const { tableId, rowCount } of record.batches) rows.set(tableId, (rows.get(tableId) ?? 0) + rowCount);
    if (record.sequence > options.persistedSequence) applyRecord(options, progress, file, record, offset);
    progress.sequence = record.sequence;
    offset = record.end;
    if (offset < sliceEnd) continue;
    await options.yieldToEventLoop();
    await options.relieve?.(progress.sequence, progress.files);
    sliceEnd = offset + REPLAY_SLICE_BYTES;
  }
}

function applyRecord(options: RecoveryOptions, progress: Progress, file: number, record: WalRecord, offset: number): void {
  try {
    options.apply(record);
    progress.records++;
  } catch (error) {
    note(options, progress, file, offset, messageOf(error));
  }
}

function note(options: RecoveryOptions, progress: Progress, file: number, offset: number, what: string): void {
  const error = new DatabaseError("wal.corrupt", {
    message: `WAL file ${walFileName(file)} is damaged at byte ${offset}: ${what}`,
    hint: "restore the file from a backup, or start with --wal-replay-fail-on-error=false to go on without the damaged part",
    details: { file, offset },
  });
  if (options.failOnError) throw error;
  progress.damages++;
  options.log.log("error", `${error.message}; going on without it`, { file, offset });
}
