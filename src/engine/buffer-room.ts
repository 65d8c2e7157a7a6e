/** Room in the queryable buffer: while a snapshot frees some, writers wait in line, bounded in number and time. */
import type { QueryableBuffer } from "../core/buffer/queryable-buffer.ts";
import type { DatabaseError } from "../core/errors/database-error.ts";
import type { Clock } from "../ports/clock.ts";
import { Gate } from "./gate.ts";
import type { StorageLimits } from "./storage-limits.ts";

export interface BufferRoomOptions {
  readonly buffer: QueryableBuffer;
  readonly clock: Clock;
  readonly limits: StorageLimits;
  /** Rows leave the buffer some time; otherwise a full one refuses at once. */
  readonly isPersisted: boolean;
}

export class BufferRoom {
  readonly #options: BufferRoomOptions;
  readonly #gate: Gate;
  #closed: DatabaseError | undefined;

  constructor(options: BufferRoomOptions) {
    this.#options = options;
    const { buffer, clock, limits } = options;
    this.#gate = new Gate({ waitingMax: limits.writersWaitingMax, waitMs: limits.writerWaitMs, clock, refusal: () => buffer.fullError() });
    buffer.onFreed(() => this.#gate.wake());
  }

  get waitingCount(): number {
    return this.#gate.waitingCount;
  }

  /** Promises room for a write that is not accepted yet. Throws `buffer.full`. */
  async reserve(bytes: number): Promise<void> {
    const { buffer, isPersisted } = this.#options;
    const attempt = (): true | undefined => (buffer.tryReserve(bytes) ? true : undefined);
    if (this.#gate.tryNow(attempt) === true) return;
    if (this.#closed !== undefined) throw this.#closed;
    if (!isPersisted || bytes > buffer.limitBytes) throw buffer.fullError();
    await this.#gate.wait(attempt);
  }

  /** Sends everybody away. */
  close(error: DatabaseError): void {
    this.#closed = error;
    this.#gate.close(error);
  }
}
