/** The connections of all runs: their numbers, and which run a request to this server came from. */
import { formatAddress, parseAddress } from "../../core/trigger/ip-address.ts";
import type { PeerOf } from "../../ports/http-listener.ts";
import { CONNECTION_NUMBER_MAX } from "./limits.ts";
import type { Run } from "./runs.ts";

export type SocketAddress = NonNullable<ReturnType<PeerOf>>;

export class OpenConnections {
  readonly #open = new Set<number>();
  readonly #runByLocalEnd = new Map<string, Run>();
  readonly #numberMax: number;
  #last: number;

  constructor({ last, max }: { readonly last: number; readonly max: number } = { last: 0, max: CONNECTION_NUMBER_MAX }) {
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
   * called before the run can send anything. The returned function forgets it.
   */
  connected(local: SocketAddress, run: Run): () => void {
    const key = keyOf(local);
    this.#runByLocalEnd.set(key, run);
    return () => {
      if (this.#runByLocalEnd.get(key) === run) this.#runByLocalEnd.delete(key);
    };
  }

  /** The run that the peer of one of this server's connections is. */
  caller(peer: SocketAddress): Run | undefined {
    return this.#runByLocalEnd.size === 0 ? undefined : this.#runByLocalEnd.get(keyOf(peer));
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
