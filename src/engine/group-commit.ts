/**
 * Group commit: records wait in the ring until the running commit ends, then all of them go to disk together (design
 * §8.4). After the sync each is applied, handed on and acknowledged in sequence order, and its ring space is free again.
 */
import type { Checksum } from "../core/bytes/crc32.ts";
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { TableBatchInput } from "../core/columns/table-batch.ts";
import { walFileName } from "../core/wal/file-name.ts";
import { RECORD_RING_SHARE } from "../core/wal/limits.ts";
import { encodeFileHeader, encodeRecord, FILE_HEADER_BYTES, numberRecord, sealRecord, type TriggerPosition } from "../core/wal/record.ts";
import { type RingSlot, WalRing } from "../core/wal/ring.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { WalLog } from "../ports/wal-log.ts";
import { Gate } from "./gate.ts";
import { RETRY_AFTER_SECONDS, type StorageLimits } from "./storage-limits.ts";

/** One write request to be committed. */
export interface RecordToCommit {
  readonly databaseId: number;
  readonly batches: readonly TableBatchInput[];
  /** Key of the trigger whose run wrote it; lives in memory only. */
  readonly origin: string | undefined;
  /** Buffer bytes promised to it. */
  readonly reservedBytes: number;
  /** Comes into effect with the rows. */
  readonly position?: TriggerPosition | undefined;
}

/** A record in the ring. */
export interface RingRecord {
  readonly databaseId: number;
  readonly origin: string | undefined;
  /** The whole record; ring memory, valid until it is applied. */
  readonly bytes: Uint8Array;
  /** Buffer bytes promised to it. */
  readonly reservedBytes: number;
  readonly position: TriggerPosition | undefined;
}

interface Pending extends RingRecord {
  readonly slot: RingSlot;
  readonly rows: readonly (readonly [tableId: number, rowCount: number])[];
  readonly settle: (error: DatabaseError | undefined) => void;
}

/** A WAL file and what it holds, up to its last commit. */
export interface WalFileEnd {
  readonly file: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  /** By table. */
  readonly rows: ReadonlyMap<number, number>;
}

export interface GroupCommitOptions {
  readonly wal: WalLog;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly limits: StorageLimits;
  /** The next file to create, and the last sequence on disk. */
  readonly firstFile: number;
  readonly lastSequence: number;
  /** Files on disk with the last sequence of each, ascending. */
  readonly files: readonly WalFileEnd[];
  /** Sixteen random bytes. */
  readonly random16: () => Uint8Array;
  /** CRC-32; default: in TypeScript. */
  readonly checksum?: Checksum | undefined;
  /** Called in order once the record is durable. When it throws, writes are refused from then on. */
  readonly apply: (record: RingRecord, sequence: number) => void;
  /** Called when the record could not be made durable. */
  readonly discard: (record: RingRecord) => void;
}

/** What a writer is told while the server stops. */
export function closedError(): DatabaseError {
  return new DatabaseError("wal.closed", { message: "wal is shutdown and not accepting writes", hint: "write again after the restart" });
}

const saltOf = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);

/** Errors of the log after which nothing more can be appended. */
const ENDS_WRITING: ReadonlySet<string> = new Set(["node.superseded", "wal.closed"]);

/** Between getting room and submitting lie a handful. */
const SUBMIT_MICROTASKS_MAX = 100;

/** Why the log takes no rows. */
export interface WalTrouble {
  readonly text: string;
  /** False: the next write tries again. */
  readonly refusesWrites: boolean;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #ring: WalRing;
  readonly #gate: Gate;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #file: number;
  #fileSize = 0;
  #salt = 0n;
  #durable: number;
  #closed: DatabaseError | undefined;
  #commits = 0;
  #files: WalFileEnd[];
  /** Rows of the last file, by table. */
  #fileRows = new Map<number, number>();
  #rotating = false;
  /** The running commit takes longer than a writer waits. */
  #stuck: DatabaseError | undefined;
  /** The last commit failed, and since when they do. */
  #failing: { readonly sinceMs: number; error: DatabaseError } | undefined;
  #failures = 0;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  /** Ends the pause between two commits. */
  #hurry: (() => void) | undefined;
  /** Files that hold nothing after this sequence may go; undefined: nothing was asked. */
  #discardThrough: number | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#files = [...options.files];
    this.#ring = new WalRing(options.limits.ringBytes);
    this.#gate = new Gate({ waitingMax: options.limits.writersWaitingMax, waitMs: options.limits.writerWaitMs, clock: options.clock, refusal: () => this.#full() });
    this.#file = options.firstFile;
    this.#durable = options.lastSequence;
  }

  /** Last sequence that is on disk and applied. */
  get durableSequence(): number {
    return this.#durable;
  }

  statistics(): { readonly ringUsedBytes: number; readonly ringCapacityBytes: number; readonly writersWaiting: number; readonly commits: number; readonly commitFailures: number; readonly walFile: number } {
    return { commitFailures: this.#failures, ringUsedBytes: this.#ring.usedBytes, ringCapacityBytes: this.#ring.capacityBytes, writersWaiting: this.#gate.waitingCount, commits: this.#commits, walFile: this.#file };
  }

  /** What is wrong with the log now: of the last commit, or for good; undefined: nothing. */
  trouble(): WalTrouble | undefined {
    const refused = this.#closed?.code === "wal.write_failed" ? this.#closed : this.#stuck;
    if (refused !== undefined) return { text: refused.message, refusesWrites: true };
    if (this.#failing === undefined) return undefined;
    const seconds = Math.round((this.#options.clock.monotonicMs() - this.#failing.sinceMs) / 1_000);
    return { text: `${this.#failing.error.message} (no commit has worked for ${seconds} s)`, refusesWrites: false };
  }

  /**
   * Ring space for a record, at once when there is some; otherwise the writer waits in line. Throws `wal_ring.full`,
   * `wal.closed`, `wal.unconfirmed`, `wal.record_too_large`.
   */
  async reserve(size: number): Promise<RingSlot> {
    const sizeMax = Math.floor(this.#ring.capacityBytes / RECORD_RING_SHARE);
    if (size > sizeMax) {
      throw new DatabaseError("wal.record_too_large", {
        message: `The write takes ${size} bytes in the WAL ring, and one write may take ${sizeMax}`,
        hint: "send fewer lines per request, or raise --wal-ring-size",
        details: { size, sizeMax },
      });
    }
    const attempt = (): RingSlot | undefined => {
      const refusal = this.#closed ?? this.#stuck;
      if (refusal !== undefined) throw refusal;
      return this.#ring.allocate(size);
    };
    return this.#gate.tryNow(attempt) ?? this.#gate.wait(attempt);
  }

  /** Gives unused space back. */
  cancel(slot: RingSlot): void {
    this.#ring.release(slot);
    this.#gate.wake();
  }

  /** Encodes into the slot; resolves once the record is durable and applied. Encoding is done when the call returns. */
  submit(slot: RingSlot, record: RecordToCommit): Promise<void> {
    const { databaseId, origin, reservedBytes, position } = record;
    try {
      encodeRecord({ sequence: 0, databaseId, batches: record.batches, position }, slot.bytes);
    } catch (error) {
      this.cancel(slot);
      throw error;
    }
    return new Promise((resolve, reject) => {
      const settle = (error: DatabaseError | undefined): void => (error === undefined ? resolve() : reject(error));
      const rows = record.batches.map(({ tableId, rowCount }) => [tableId, rowCount] as const);
      this.#queue.push({ databaseId, origin, bytes: slot.bytes, reservedBytes, position, slot, rows, settle });
      this.#running ??= this.#run();
      if (this.#isPressed()) this.#hurry?.();
    });
  }

  /** The next commit begins a new file, so that the present one can be covered by a snapshot. */
  rotate(): void {
    this.#rotating = true;
  }

  /** On disk, ascending; the last one may still grow. */
  get files(): readonly WalFileEnd[] {
    return this.#files;
  }

  /** Number of the newest file that holds nothing after the sequence; 0: none. */
  coveredFile(sequence: number): number {
    return this.#files.findLast((file) => file.lastSequence <= sequence)?.file ?? 0;
  }

  /** Deletes, between commits, the files that hold nothing after the sequence; the one being written stays. */
  discardThrough(sequence: number): void {
    this.#discardThrough = sequence;
    this.#running ??= this.#run();
  }

  /** Nothing more is stored, neither what waits nor what comes. */
  refuse(error: DatabaseError): void {
    this.#closed ??= error;
    this.#gate.close(this.#closed);
    this.#hurry?.();
  }

  /** Waits for what was submitted, with a bound where the log is far away, then refuses more. */
  async close(): Promise<void> {
    const { clock, limits, wal } = this.#options;
    this.refuse(closedError());
    const cancel = clock.after(limits.closeWaitMs, () => wal.abandon?.());
    await this.#running;
    cancel();
    // A writer that has its room but has not submitted yet does so within a few microtasks.
    for (let turn = 0; this.#ring.usedBytes > 0 && turn < SUBMIT_MICROTASKS_MAX; turn++) {
      await Promise.resolve();
      await this.#running;
    }
  }

  async #run(): Promise<void> {
    // Writers that arrive within this turn of the event loop share the commit.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#discardThrough !== undefined) {
      await this.#discardCovered();
      if (this.#queue.length === 0) continue;
      await this.#pause();
      const group = this.#nextGroup();
      const error = this.#closed !== undefined && this.#closed.code !== "wal.closed" ? this.#closed : await this.#append(group);
      this.#finish(group, error);
    }
    this.#running = undefined;
  }

  /** Where each commit costs a request to a store, it waits for company until the interval is over. */
  #pause(): Promise<void> {
    const { clock, limits } = this.#options;
    const waitMs = this.#lastCommitMs + limits.commitIntervalMs - clock.monotonicMs();
    if (waitMs <= 0 || this.#closed !== undefined || this.#isPressed()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#hurry = undefined;
        resolve();
      };
      const cancel = clock.after(waitMs, end);
      this.#hurry = end;
    });
  }

  /** Enough waits for a commit of its own, or writers will soon wait for room. */
  #isPressed(): boolean {
    return this.#ring.usedBytes >= Math.min(this.#options.limits.groupBytes, this.#ring.capacityBytes / 2);
  }

  /** In ascending order, so that what is left after a crash has no gap. What cannot be deleted now is asked for again. */
  async #discardCovered(): Promise<void> {
    const sequence = this.#discardThrough;
    this.#discardThrough = undefined;
    if (sequence === undefined) return;
    for (const { file, lastSequence } of [...this.#files]) {
      const written = file === this.#file && this.#fileSize > 0 && !this.#rotating;
      if (lastSequence > sequence || written) return;
      try {
        await this.#options.wal.delete(file);
      } catch (error) {
        this.#options.log.log("warn", `WAL file ${walFileName(file)} is covered by a snapshot but cannot be deleted: ${messageOf(error)}`, { file });
        return;
      }
      if (file === this.#file) this.#nextFile();
      this.#files = this.#files.filter((other) => other.file !== file);
    }
  }

  #nextFile(): void {
    this.#rotating = false;
    if (this.#fileSize === 0) return;
    this.#file++;
    this.#fileSize = 0;
  }

  #nextGroup(): Pending[] {
    let size = 0;
    let count = 0;
    for (const pending of this.#queue) {
      if (count > 0 && size + pending.bytes.length > this.#options.limits.groupBytes) break;
      size += pending.bytes.length;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #append(group: readonly Pending[]): Promise<DatabaseError | undefined> {
    const size = group.reduce((sum, pending) => sum + pending.bytes.length, 0);
    const isFull = this.#options.wal.oneAppendPerFile === true || this.#fileSize + size > this.#options.limits.walFileBytes;
    if (this.#rotating || (this.#fileSize > 0 && isFull)) this.#nextFile();
    if (this.#fileSize === 0) this.#salt = saltOf(this.#options.random16());
    for (const [place, pending] of group.entries()) {
      numberRecord(pending.bytes, this.#durable + 1 + place);
      sealRecord(pending.bytes, { placeInGroup: place, salt: this.#salt }, this.#options.checksum);
    }
    const header = this.#fileSize === 0 ? [encodeFileHeader(this.#file, this.#salt)] : [];
    this.#lastCommitMs = this.#options.clock.monotonicMs();
    const inTime = this.#options.clock.after(this.#options.limits.commitWaitMs, () => this.#tellStuck(group));
    try {
      await this.#options.wal.append(this.#file, [...header, ...group.map((pending) => pending.bytes)]);
    } catch (error) {
      if (!isDatabaseError(error) || !ENDS_WRITING.has(error.code)) return this.#recover(error);
      this.refuse(error);
      return error;
    } finally {
      inTime();
      this.#stuck = undefined;
    }
    this.#fileSize += size + header.length * FILE_HEADER_BYTES;
    this.#commits++;
    this.#countRows(group);
    this.#worked();
    return undefined;
  }

  /**
   * The commit goes on, since its outcome is not known yet; only who waits for it is told, and nobody else is let in. What
   * was told so may still be stored.
   */
  #tellStuck(group: readonly Pending[]): void {
    const seconds = Math.round(this.#options.limits.commitWaitMs / 1_000);
    this.#stuck = new DatabaseError("wal.unconfirmed", {
      message: `The write is not confirmed: the WAL has not answered for ${seconds} s`,
      hint: "send it again in a moment: rows that turn out to be stored already are not stored twice",
      details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
    for (const pending of [...group, ...this.#queue]) pending.settle(this.#stuck);
    this.#gate.wake();
  }

  #worked(): void {
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    this.#options.log.log("info", "The WAL can be written again", { file: this.#file });
  }

  #countRows(group: readonly Pending[]): void {
    const before = this.#files.at(-1);
    const grows = before?.file === this.#file;
    const rows = grows ? this.#fileRows : (this.#fileRows = new Map());
    for (const pending of group) for (const [tableId, count] of pending.rows) rows.set(tableId, (rows.get(tableId) ?? 0) + count);
    const firstSequence = grows ? before.firstSequence : this.#durable + 1;
    const end: WalFileEnd = { file: this.#file, firstSequence, lastSequence: this.#durable + group.length, bytes: this.#fileSize, rows };
    if (grows) this.#files[this.#files.length - 1] = end;
    else this.#files.push(end);
  }

  /** The file's end is unknown after a failure: cut it back to what is acknowledged, or refuse all writes from now on. */
  async #recover(cause: unknown): Promise<DatabaseError> {
    const { wal, log } = this.#options;
    const failure = new DatabaseError("wal.write_failed", { message: `Writing the WAL failed: ${messageOf(cause)}`, hint: "check the disk's free space and health", cause });
    this.#failures++;
    // Once, not for each write: a disk may be full for hours.
    log.log(this.#failing === undefined ? "error" : "debug", failure.message, { file: this.#file });
    if (this.#failing === undefined) this.#failing = { sinceMs: this.#options.clock.monotonicMs(), error: failure };
    else this.#failing.error = failure;
    try {
      // A file without acknowledged records is made anew, header and all.
      if (this.#fileSize > 0) await wal.truncate(this.#file, this.#fileSize);
      else await wal.delete(this.#file);
    } catch (error) {
      this.#closed = new DatabaseError("wal.write_failed", {
        message: `Writing the WAL failed, and its file ${this.#file} could not be cut back: ${messageOf(error)}`,
        hint: "check the disk, then restart the server: what was acknowledged is replayed",
        cause: error,
      });
      this.#gate.close(this.#closed);
    }
    return failure;
  }

  #finish(group: readonly Pending[], error: DatabaseError | undefined): void {
    for (const pending of group) {
      if (error === undefined) pending.settle(this.#applied(pending));
      else {
        this.#options.discard(pending);
        pending.settle(error);
      }
      this.#ring.release(pending.slot);
    }
    this.#gate.wake();
  }

  /** A durable record that cannot be taken in must not pass for stored here: only a replay can mend that. */
  #applied(pending: Pending): DatabaseError | undefined {
    this.#durable++;
    try {
      this.#options.apply(pending, this.#durable);
      return undefined;
    } catch (error) {
      this.#closed ??= new DatabaseError("wal.write_failed", {
        message: `Rows that are durable cannot be taken into memory: ${messageOf(error)}`,
        hint: "restart the server: what was acknowledged is replayed",
        cause: error,
      });
      this.#options.log.log("error", this.#closed.message, { sequence: this.#durable });
      this.#gate.close(this.#closed);
      return this.#closed;
    }
  }

  #full(): DatabaseError {
    const { usedBytes, capacityBytes } = this.#ring;
    return new DatabaseError("wal_ring.full", {
      message: `The WAL ring is full (${usedBytes} of ${capacityBytes} bytes)`,
      hint: "write again in a moment; if it lasts, the disk is too slow for this load",
      details: { used: usedBytes, capacity: capacityBytes, retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
  }
}
