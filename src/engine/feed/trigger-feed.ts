/**
 * The committed rows as triggers read them: each trigger has a position instead of a queue. Rows come from the buffer
 * while it has them, else again from WAL files, which are kept as long as somebody needs them and the limit allows. So a
 * trigger that is slow or stuck costs neither writes nor memory. Positions of durable triggers live in the log itself.
 */
import type { CommittedBatch, QueryableBuffer } from "../../core/buffer/queryable-buffer.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import type { TriggerPosition } from "../../core/wal/record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { WalLog } from "../../ports/wal-log.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { FeedLimits } from "./limits.ts";
import { LogReader, type LogRange } from "./log-reader.ts";
import { type LogFollower, WalRetention } from "./wal-retention.ts";

export interface FeedReader extends LogFollower {
  readonly databaseId: number;
  /** Set for a durable trigger: its position is carried forward as WAL files go. */
  readonly durableTriggerId: number | undefined;
}

export interface FeedSlice {
  /** In WAL order; other tables' rows may be among those from memory. */
  readonly batches: readonly CommittedBatch[];
  /** All rows after the last slice and up to this sequence are in it. */
  readonly through: number;
  /** Read again from WAL files. */
  readonly fromLog: boolean;
}

/** A durable trigger's newest position record. */
interface Recorded {
  readonly databaseId: number;
  readonly sequence: number;
  /** Sequence of the record that says so. */
  readonly recordedAt: number;
}

export interface TriggerFeedOptions {
  readonly buffer: QueryableBuffer;
  readonly commit: GroupCommit;
  readonly wal: WalLog;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly limits: FeedLimits;
  /** As the replay found them. */
  readonly positions: ReadonlyMap<number, Recorded>;
  readonly yieldToEventLoop: () => Promise<void>;
  /** Appends a record that holds nothing but the position. */
  readonly commitPosition: (databaseId: number, position: TriggerPosition) => Promise<void>;
}

export class TriggerFeed {
  readonly #options: TriggerFeedOptions;
  readonly #reader: LogReader;
  readonly #retention: WalRetention;
  readonly #positions: Map<number, Recorded>;
  readonly #durable = new Map<number, FeedReader>();
  /** Durable triggers that are to run again: the log keeps what they need. */
  readonly #kept = new Map<number, () => void>();
  /** Until the triggers have been started, what the replay found is needed. */
  #releaseUnclaimed: (() => void) | undefined;

  constructor(options: TriggerFeedOptions) {
    const { buffer, commit, wal, clock, log, limits, yieldToEventLoop } = options;
    this.#options = options;
    this.#positions = new Map(options.positions);
    this.#reader = new LogReader({ wal, clock, yieldToEventLoop, files: () => commit.files });
    this.#retention = new WalRetention({ commit, log, retainBytesMax: limits.retainBytesMax, carryPositions: (through) => this.#carryPositions(through) });
    buffer.setReaderBytesMax(limits.memoryBytesMax);
    if (this.#positions.size > 0) {
      const oldest = Math.min(...[...this.#positions.values()].map(({ sequence }) => sequence));
      this.#releaseUnclaimed = this.#retention.follow({ position: () => oldest, lose: async () => undefined });
    }
  }

  /** Where a durable trigger stood when its last record was committed. */
  recordedPosition(triggerId: number): number | undefined {
    return this.#positions.get(triggerId)?.sequence;
  }

  /** First sequence that the log on disk holds. */
  firstSequence(): number {
    const { commit } = this.#options;
    return commit.files[0]?.firstSequence ?? commit.durableSequence + 1;
  }

  /** The sequence after which reading may go on where the WAL file after `after` cannot be read. */
  nextReadable(databaseId: number, after: number): number {
    const { buffer, commit } = this.#options;
    const end = commit.files.find(({ lastSequence }) => lastSequence > after)?.lastSequence ?? Number.POSITIVE_INFINITY;
    return Math.max(after + 1, Math.min(end, buffer.completeAfter(databaseId)));
  }

  /** Keeps rows after the reader's position until the returned function is called; with `keep` a durable trigger's beyond it. */
  follow(reader: FeedReader): (options: { readonly keep: boolean }) => void {
    const { durableTriggerId: id } = reader;
    const unhold = this.#options.buffer.hold(reader.databaseId, () => reader.position());
    const unfollow = this.#retention.follow(reader);
    if (id !== undefined) {
      this.#durable.set(id, reader);
      this.#kept.get(id)?.();
      this.#kept.delete(id);
    }
    return ({ keep }) => {
      unhold();
      if (id !== undefined && this.#durable.get(id) === reader) {
        this.#durable.delete(id);
        const position = this.#positions.get(id)?.sequence ?? reader.position();
        if (keep) this.#kept.set(id, this.#retention.follow({ position: () => position, lose: async () => undefined }));
        else this.#positions.delete(id);
      }
      unfollow();
    };
  }

  /** All enabled triggers follow: positions of those that do not are forgotten. */
  started(): void {
    for (const triggerId of this.#positions.keys()) if (!this.#durable.has(triggerId)) this.#positions.delete(triggerId);
    this.#releaseUnclaimed?.();
    this.#releaseUnclaimed = undefined;
  }

  /** A follower moved on. */
  advanced(): void {
    this.#retention.check();
  }

  /** The next rows of a database in the range. Throws what reading a WAL file throws. */
  async read(databaseId: number, range: LogRange): Promise<FeedSlice> {
    const { buffer } = this.#options;
    const memoryAfter = buffer.completeAfter(databaseId);
    if (range.after < memoryAfter) return { ...(await this.#reader.read({ ...range, through: Math.min(range.through, memoryAfter) })), fromLog: true };
    const batches: CommittedBatch[] = [];
    let bytes = 0;
    let through = range.after;
    for (const batch of buffer.since(databaseId, range.after)) {
      if (batch.sequence > range.through) break;
      if (bytes >= range.bytesMax && batch.sequence > through) return { batches, through, fromLog: false };
      through = batch.sequence;
      if (!range.wants(batch)) continue;
      batches.push(batch);
      bytes += batch.bytes.length;
    }
    return { batches, through: range.through, fromLog: false };
  }

  /** Rows of a database in the log that a follower wanted. */
  async countRows(databaseId: number, range: Omit<LogRange, "bytesMax">): Promise<number | undefined> {
    try {
      return await this.#reader.count(range, databaseId);
    } catch (error) {
      this.#options.log.log("warn", `Rows that a trigger lost cannot be counted: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** A committed record holds a position. */
  noted(databaseId: number, { triggerId, sequence }: TriggerPosition, recordedAt: number): void {
    this.#positions.set(triggerId, { databaseId, sequence, recordedAt });
  }

  /** A snapshot has persisted everything up to the sequence. */
  cover(sequence: number): void {
    this.#retention.cover(sequence);
  }

  statistics(): { readonly walRetainedBytes: number; readonly feedHeldBytes: number } {
    return { walRetainedBytes: this.#retention.retainedBytes, feedHeldBytes: this.#options.buffer.readerBytes };
  }

  async close(): Promise<void> {
    this.#reader.close();
    await this.#retention.close();
  }

  async #carryPositions(through: number): Promise<void> {
    for (const [triggerId, { databaseId, sequence, recordedAt }] of [...this.#positions]) {
      if (recordedAt > through) continue;
      const position = Math.max(sequence, this.#durable.get(triggerId)?.position() ?? 0);
      await this.#options.commitPosition(databaseId, { triggerId, sequence: position });
    }
  }
}
