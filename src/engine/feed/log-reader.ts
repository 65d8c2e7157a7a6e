/**
 * Reads committed rows again from WAL files, for triggers that fell so far behind that memory no longer has them. One
 * file is in memory at a time, whoever reads; what a reader wants is copied out, so the file does not outlive the read.
 */
import type { CommittedBatch } from "../../core/buffer/queryable-buffer.ts";
import { DatabaseError } from "../../core/errors/database-error.ts";
import { walFileName } from "../../core/wal/file-name.ts";
import { readWalFile } from "../../core/wal/reader.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import type { WalFileEnd } from "../group-commit.ts";
import { REPLAY_SLICE_BYTES } from "../storage-limits.ts";
import { FILE_CACHE_MS } from "./limits.ts";

export interface LogSlice {
  /** In WAL order. */
  readonly batches: readonly CommittedBatch[];
  /** All wanted rows up to this sequence are in it. */
  readonly through: number;
}

export interface LogRange {
  /** Sequences after this one, ... */
  readonly after: number;
  /** ... up to this one. */
  readonly through: number;
  readonly wants: (batch: { readonly databaseId: number; readonly tableId: number }) => boolean;
  /** A slice ends with the record that passes it. */
  readonly bytesMax: number;
}

export interface LogReaderOptions {
  readonly wal: Pick<WalLog, "read">;
  readonly files: () => readonly WalFileEnd[];
  readonly clock: Clock;
  readonly yieldToEventLoop: () => Promise<void>;
}

interface OpenFile {
  readonly file: number;
  readonly bytes: Uint8Array;
  /** The bytes hold at least the records up to this one. */
  readonly through: number;
  /** Where the record after `sequence` begins, of the last slice that was read. */
  offset: number | undefined;
  sequence: number;
}

export class LogReader {
  readonly #options: LogReaderOptions;
  #last: Promise<unknown> = Promise.resolve();
  #open: OpenFile | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** Rows of one file at most. Throws `wal.corrupt`, or what reading the file throws. */
  read(range: LogRange): Promise<LogSlice> {
    const turn = this.#last.then(() => this.#read(range));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Wanted rows of whole files by their summaries, of the file that `after` lies in by reading it. */
  async count(range: Omit<LogRange, "bytesMax">, databaseId: number): Promise<number> {
    let rows = 0;
    let { after } = range;
    for (const [index, file] of this.#options.files().entries()) {
      if (file.lastSequence <= after || after >= range.through) continue;
      const previous = this.#options.files()[index - 1]?.lastSequence ?? 0;
      if (after > previous || file.lastSequence > range.through) {
        const { batches } = await this.read({ ...range, after, through: Math.min(range.through, file.lastSequence), bytesMax: Number.POSITIVE_INFINITY });
        for (const batch of batches) rows += batch.rowCount;
      } else {
        for (const [tableId, count] of file.rows) if (range.wants({ databaseId, tableId })) rows += count;
      }
      after = file.lastSequence;
    }
    return rows;
  }

  async #read(range: LogRange): Promise<LogSlice> {
    const end = this.#options.files().find(({ lastSequence }) => lastSequence > range.after);
    // Nothing on disk holds rows after it: they were in records that are gone, and counted as such by whoever let them go.
    if (end === undefined) return { batches: [], through: range.through };
    const target = Math.min(range.through, end.lastSequence);
    const open = await this.#load(end);
    const batches: CommittedBatch[] = [];
    let bytes = 0;
    let sliceEnd = 0;
    const from = open.sequence === range.after ? open.offset : undefined;
    const records = readWalFile(open.bytes, end.file, from);
    for (let step = records.next(); ; step = records.next()) {
      if (step.done === true) throw cutShort(end.file, target, step.value?.reason);
      const record = step.value;
      if (record.sequence > target) return { batches, through: target };
      if (record.sequence > range.after) {
        for (const batch of record.batches) {
          if (!range.wants(batch)) continue;
          const { tableId, databaseId, rowCount } = batch;
          batches.push({ sequence: record.sequence, databaseId, tableId, rowCount, bytes: new Uint8Array(batch.bytes), origin: undefined });
          bytes += batch.bytes.length;
        }
        open.sequence = record.sequence;
        open.offset = record.end;
        if (record.sequence === target || bytes >= range.bytesMax) return { batches, through: record.sequence };
      }
      if (record.end < sliceEnd) continue;
      sliceEnd = record.end + REPLAY_SLICE_BYTES;
      await this.#options.yieldToEventLoop();
    }
  }

  async #load({ file, lastSequence }: WalFileEnd): Promise<OpenFile> {
    const { clock, wal } = this.#options;
    this.#cancelTimer?.();
    let open = this.#open;
    if (open?.file !== file || open.through < lastSequence) open = { file, bytes: await wal.read(file), through: lastSequence, offset: undefined, sequence: -1 };
    this.#open = open;
    this.#cancelTimer = clock.after(FILE_CACHE_MS, () => (this.#open = undefined));
    return open;
  }

  close(): void {
    this.#cancelTimer?.();
    this.#open = undefined;
  }
}

function cutShort(file: number, through: number, reason: string | undefined): DatabaseError {
  return new DatabaseError("wal.corrupt", {
    message: `WAL file ${walFileName(file)} ends before record ${through}${reason === undefined ? "" : `: ${reason}`}`,
    hint: "the rows are in the database; triggers that had not seen them will not see them",
  });
}
