/** The connections of all runs: their numbers, and which run a request to this server came from. */
import { formatAddress, parseAddress } from "../../core/trigger/ip-address.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerOf } from "../../ports/http-listener.ts";
import { CONNECTION_LINGER_MS, CONNECTION_NUMBER_MAX } from "./limits.ts";
import type { Run } from "./runs.ts";

export type SocketAddress = NonNullable<ReturnType<PeerOf>>;

export class OpenConnections {
  readonly #open = new Set<number>();
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #runByLocalEnd = new Map<string, Run>();
  /** Ends of closed connections, oldest first, and until when they count. A key is a port of this machine: they are bounded. */
  readonly #closed = new Map<string, number>();
  readonly #numberMax: number;
  #last: number;

  constructor(clock: Pick<Clock, "monotonicMs">, { last, max }: { readonly last: number; readonly max: number } = { last: 0, max: CONNECTION_NUMBER_MAX }) {
    this.#clock = clock;
    this.#last = last;
    this.#numberMax = max;
  }

  /** A number that no open connection has. */
  begin(): number {
    do this.#last = this.#last >= this.#numberMax ? 1 : this.#last + 1;
    while (this.#open.has(this.#last));
    this.#open.add(this.#last);
    return this.#last;
  }

  end(number: number): void {
    this.#open.delete(number);
  }

  /**
   * The run's own end of a connection that is connected: should the other end be this server, it knows the run by it. To be
   * called before the run can send anything. The returned function is called when it is closed.
   */
  connected(local: SocketAddress, run: Run): () => void {
    const key = keyOf(local);
    this.#runByLocalEnd.set(key, run);
    this.#closed.delete(key);
    return () => {
      if (this.#runByLocalEnd.get(key) !== run) return;
      this.#runByLocalEnd.delete(key);
      this.#dropClosed();
      this.#closed.set(key, this.#clock.monotonicMs() + CONNECTION_LINGER_MS);
    };
  }

  #dropClosed(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, untilMs] of this.#closed) {
      if (untilMs > nowMs) return;
      this.#closed.delete(key);
    }
  }

  /** The run that the peer of one of this server's connections is. */
  caller(peer: SocketAddress): Run | undefined {
    return this.#runByLocalEnd.size === 0 ? undefined : this.#runByLocalEnd.get(keyOf(peer));
  }

  /**
   * Whether a peer is a run, or was one until a moment ago: this server may read what was sent when the run has closed its end.
   * A peer that cannot be told any more may be one.
   */
  isRun(peer: SocketAddress | undefined): boolean {
    this.#dropClosed();
    if (this.#runByLocalEnd.size + this.#closed.size === 0) return false;
    if (peer === undefined) return true;
    const key = keyOf(peer);
    return this.#runByLocalEnd.has(key) || this.#closed.has(key);
  }

  /** For tests: what is not ended. */
  get size(): number {
    return this.#open.size + this.#runByLocalEnd.size;
  }
}

/** A server that listens for IPv6 sees the peers of IPv4 in another spelling. */
function keyOf([address, port]: SocketAddress): string {
  const parsed = parseAddress(address);
  return `${parsed === undefined ? address : formatAddress(parsed)} ${port}`;
}
