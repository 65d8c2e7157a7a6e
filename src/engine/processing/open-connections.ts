/** The connections of all runs: their numbers, and which run a request to this server came from. */
import { formatAddress, parseAddress } from "../../core/trigger/ip-address.ts";
import type { PeerOf } from "../../ports/http-listener.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "../../ports/plugin-network.ts";
import { CONNECTION_LINGER_MS, CONNECTION_NUMBER_MAX } from "./limits.ts";
import type { Run } from "./runs.ts";

export type SocketAddress = NonNullable<ReturnType<PeerOf>>;

export class OpenConnections {
  readonly #open = new Set<number>();
  /** Undefined: the plugin has closed it, or its run has ended, and the server may still have requests of it before it. */
  readonly #runByLocalEnd = new Map<string, Run | undefined>();
  readonly #clock: Clock;
  readonly #closing = new Set<() => void>();
  readonly #numberMax: number;
  #last: number;

  constructor(clock: Clock, { last, max }: { readonly last: number; readonly max: number } = { last: 0, max: CONNECTION_NUMBER_MAX }) {
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
   * The run's own end of a connection to this server that is connected: the server knows the run by it. To be called before the
   * run can send anything. The returned function closes the connection when the server has nothing more of it before it: what
   * was sent and left at once must not pass for somebody else's.
   */
  connected(local: SocketAddress, run: Run): (connection: Connection) => void {
    const key = keyOf(local);
    this.#runByLocalEnd.set(key, run);
    return (connection) => {
      this.#runByLocalEnd.set(key, undefined);
      const forget = (): void => {
        this.#closing.delete(finish);
        this.#runByLocalEnd.delete(key);
      };
      const finish = closeGently(connection, this.#clock, forget);
      if (this.#runByLocalEnd.has(key)) this.#closing.add(finish);
    };
  }

  /** Closes what is still being closed: the server that it leads to has ended. */
  close(): void {
    for (const finish of [...this.#closing]) finish();
  }

  /** The run that the peer of one of this server's connections is. */
  caller(peer: SocketAddress): Run | undefined {
    return this.#runByLocalEnd.get(keyOf(peer));
  }

  /** Whether the peer is a run, or may be one: where its port is not known, or it is gone, every run that it could be counts. */
  isRun(peer: SocketAddress | undefined): boolean {
    if (peer === undefined) return this.#runByLocalEnd.size > 0;
    const [address, port] = peer;
    if (port !== 0) return this.#runByLocalEnd.has(keyOf([address, port]));
    const prefix = keyOf([address, ""]);
    return [...this.#runByLocalEnd.keys()].some((key) => key.startsWith(prefix));
  }

  /** For tests: what is not ended. */
  get size(): number {
    return this.#open.size + this.#runByLocalEnd.size;
  }
}

/**
 * Ends our direction and waits for the server to end its own, which it does when it has read everything before. A connection
 * that failed shows no such end. The returned function closes at once.
 */
function closeGently(connection: Connection, clock: Clock, onClosed: () => void): () => void {
  let cancel: (() => void) | undefined;
  const finish = (): void => {
    cancel?.();
    connection.onChange(undefined);
    connection.close();
    onClosed();
  };
  const drain = (): void => {
    try {
      for (let bytes = connection.receive(DRAIN_BYTES); bytes !== undefined; bytes = connection.receive(DRAIN_BYTES)) if (bytes.length === 0) return finish();
    } catch {
      // It failed: the time has to do.
      connection.onChange(undefined);
    }
  };
  cancel = clock.after(CONNECTION_LINGER_MS, finish);
  connection.onChange(drain);
  try {
    connection.end();
  } catch {
    // Its TLS has not begun: nothing was asked over it.
    connection.onChange(undefined);
    connection.close();
  }
  drain();
  return finish;
}

const DRAIN_BYTES = 65_536;

/** A server that listens for IPv6 sees the peers of IPv4 in another spelling. */
function keyOf([address, port]: readonly [address: string, port: number | ""]): string {
  const parsed = parseAddress(address);
  return `${parsed === undefined ? address : formatAddress(parsed)} ${port}`;
}
