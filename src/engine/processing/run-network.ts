/**
 * The network of one run: asks the grants before a name is looked up and before an address is connected to, counts
 * connections and bytes, waits, and closes everything when the run ends.
 */
import { formatAddress, parseAddress } from "../../core/trigger/ip-address.ts";
import type { Clock } from "../../ports/clock.ts";
import { NetworkError, type Connection, type RunEnds, type TlsEngine } from "../../ports/plugin-network.ts";
import { HostCallError, NET_READY, type NetDirection, type NetworkCalls } from "../../ports/plugin-runtime.ts";
import { ADDRESSES_KNOWN_MAX, CONNECTIONS_OPEN_MAX, LOOKUPS_MAX, NAMES_OF_ADDRESS_MAX, SEND_PIECE_BYTES_MAX, WAIT_MS_MAX } from "./limits.ts";
import type { SocketAddress } from "./open-connections.ts";
import type { RunAccess } from "./run-access.ts";
import type { RunMeter } from "./run-limits.ts";
import { parseTlsSettings } from "./tls-settings.ts";

/** What became of one connection. */
export interface ConnectionRecord {
  /** Undefined: TLS whose bytes went over another connection. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** The name that the address came from. */
  readonly host: string | undefined;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly durationMs: number;
  readonly error: NetworkError | undefined;
}

export interface RunNetworkParts {
  readonly network: RunEnds;
  readonly clock: Clock;
  readonly access: RunAccess;
  readonly meter: RunMeter;
  /** A number for a new connection, and its end. */
  begin(): number;
  end(number: number): void;
  /** Called before anything can be sent, with both ends; the returned function, if any, is to close it. */
  onConnected(local: SocketAddress, remote: SocketAddress): ((connection: Connection) => void) | undefined;
  onClosed(record: ConnectionRecord): void;
}

interface Place {
  readonly address: string;
  readonly port: number;
  readonly host: string | undefined;
}

interface Open {
  readonly connection: Connection;
  /** The same, where it is TLS whose bytes the plugin carries. */
  readonly engine: TlsEngine | undefined;
  readonly place: Place | undefined;
  readonly startedMs: number;
  bytesSent: number;
  bytesReceived: number;
  isKnown: boolean;
  /** It was to begin TLS; nobody tries twice. */
  isTlsAsked: boolean;
  closeIt: ((connection: Connection) => void) | undefined;
  wake: (() => void) | undefined;
}

const encoder = new TextEncoder();
const INTEREST_BYTES = 8;

export class RunNetwork implements NetworkCalls {
  readonly #parts: RunNetworkParts;
  readonly #open = new Map<number, Open>();
  /** By address: the names that led to it in this run. */
  readonly #names = new Map<string, Set<string>>();
  #lookups = 0;
  #hasEnded = false;
  /** Ends the wait under way. There is one at most: the plugin waits for its calls. */
  #endWait: (() => void) | undefined;

  constructor(parts: RunNetworkParts) {
    this.#parts = parts;
  }

  /** Closes everything; what is still waited for is refused as `interrupted`. Harmless when done twice. */
  end(): void {
    this.#hasEnded = true;
    this.#endWait?.();
    for (const number of [...this.#open.keys()]) this.#close(number);
    this.#names.clear();
  }

  async resolve(host: string, port: number): Promise<Uint8Array> {
    this.#checkAlive();
    const { access, meter, network } = this.#parts;
    const portAsked = port === 0 ? undefined : port;
    const asked = access.network({ host, port: portAsked });
    if (!asked.allowed) throw access.denied("net", asked.reason);
    this.#lookups += 1;
    if (this.#lookups > LOOKUPS_MAX) throw meter.met("connections", `one run looks up at most ${LOOKUPS_MAX} names`);
    const found = await network.resolve(asked.host).catch(refuse);
    this.#checkAlive();
    const decisions = found.map((address) => ({ address, decision: access.network({ host: asked.host, port: portAsked, address }) }));
    const allowed = decisions.filter(({ decision }) => decision.allowed).map(({ address }) => address);
    const [first] = decisions;
    if (allowed.length === 0 && first?.decision.allowed === false) throw access.denied("net", first.decision.reason);
    for (const address of allowed) this.#remember(address, asked.host);
    return encoder.encode(JSON.stringify(allowed));
  }

  open(address: string, port: number): number {
    this.#checkAlive();
    const place = this.#place(address, port);
    this.#countConnection();
    return this.#add(place, this.#parts.network.connect(place.address, port));
  }

  openTls(settings: Uint8Array): number {
    this.#checkAlive();
    // Counted before they are looked at, which costs time: a run that names wrong ones again and again gets no further.
    this.#countConnection();
    const parsed = parseTlsSettings(settings);
    const engine = attempt(() => this.#parts.network.createTlsEngine(parsed));
    return this.#add(undefined, engine, engine);
  }

  startTls(number: number, settings: Uint8Array): void {
    const open = this.#get(number);
    const { connection } = open;
    if (open.isTlsAsked) throw networkRefusal("EINVAL", "Invalid argument");
    open.isTlsAsked = true;
    const parsed = parseTlsSettings(settings);
    attempt(() => connection.startTls(parsed));
  }

  async send(number: number, data: Uint8Array, waitSeconds: number | undefined): Promise<number> {
    const open = this.#get(number);
    if (data.length === 0) return 0;
    const { meter } = this.#parts;
    // A copy: the plugin's memory may be another's by the time there is room.
    const piece = data.slice(0, Math.min(SEND_PIECE_BYTES_MAX, open.engine === undefined ? meter.networkRoom() : SEND_PIECE_BYTES_MAX));
    const look = (): number | undefined => open.connection.send(piece) || undefined;
    const sent = (await this.#wait([open], waitSeconds, look)) ?? 0;
    open.bytesSent += sent;
    if (open.engine === undefined) meter.moved(sent);
    return sent;
  }

  async receive(number: number, bytesMax: number, waitSeconds: number | undefined): Promise<Uint8Array | undefined> {
    const open = this.#get(number);
    const { meter } = this.#parts;
    // One byte more than there is room for shows that there is more, and is refused.
    const max = open.engine === undefined ? Math.min(bytesMax, meter.networkLeft + 1) : bytesMax;
    const look = (): Uint8Array | undefined => open.connection.receive(max);
    let bytes = attempt(look);
    // What was fed may be decrypted only now that there is room for it.
    if (bytes === undefined && open.engine !== undefined) await open.engine.settled();
    bytes ??= await this.#wait([open], waitSeconds, look);
    if (bytes === undefined) return undefined;
    open.bytesReceived += bytes.length;
    if (open.engine === undefined) meter.moved(bytes.length);
    return bytes;
  }

  async wait(interests: Uint8Array, waitSeconds: number | undefined): Promise<Uint8Array> {
    this.#checkAlive();
    const asked = interestsOf(interests);
    const look = (): Uint8Array | undefined => {
      const ready = Uint8Array.from(asked, ({ number, bits }) => readiness(this.#open.get(number), bits));
      return ready.some((bits) => bits !== 0) ? ready : undefined;
    };
    const opens = asked.map(({ number }) => this.#open.get(number)).filter((open) => open !== undefined);
    return (await this.#wait(opens, waitSeconds, look)) ?? new Uint8Array(asked.length);
  }

  describe(number: number): Uint8Array {
    const { connection } = this.#get(number);
    const { error } = connection.state();
    return encoder.encode(JSON.stringify({ ...connection.describe(), ...(error === undefined ? {} : { error: [error.code, error.message] }) }));
  }

  close(number: number, direction: NetDirection): void {
    const { connection } = this.#get(number);
    if (direction === "write") attempt(() => connection.end());
    else this.#close(number);
  }

  async feed(number: number, data: Uint8Array): Promise<void> {
    await this.#engine(number).feed(data.slice()).catch(refuse);
    this.#checkAlive();
  }

  async drain(number: number): Promise<Uint8Array> {
    const engine = this.#engine(number);
    await engine.settled();
    this.#checkAlive();
    return engine.drain();
  }

  #checkAlive(): void {
    if (this.#hasEnded) throw new HostCallError("interrupted", "the run has ended");
  }

  /** Where the address lies that is to be connected to, if one of the names that led to it, or it itself, is granted. */
  #place(text: string, port: number): Place {
    const { access } = this.#parts;
    const parsed = parseAddress(text);
    if (parsed === undefined) throw networkRefusal("EINVAL", "Invalid argument");
    const address = formatAddress(parsed);
    const names = [...(this.#names.get(address) ?? [])];
    let reason = "";
    for (const host of [address, ...names]) {
      const decision = access.network({ host, port, address });
      if (decision.allowed) return { address, port, host: host === address ? names[0] : host };
      reason = decision.reason;
    }
    throw access.denied("net", reason);
  }

  #remember(text: string, host: string): void {
    const parsed = parseAddress(text);
    if (parsed === undefined) return;
    const address = formatAddress(parsed);
    if (address === host) return;
    const names = this.#names.get(address) ?? new Set();
    names.delete(host);
    names.add(host);
    this.#names.delete(address);
    this.#names.set(address, names);
    forgetOldest(names, NAMES_OF_ADDRESS_MAX);
    forgetOldest(this.#names, ADDRESSES_KNOWN_MAX);
  }

  #countConnection(): void {
    const { meter } = this.#parts;
    if (this.#open.size >= CONNECTIONS_OPEN_MAX) throw meter.met("connections", `one run has at most ${CONNECTIONS_OPEN_MAX} connections open at once`);
    meter.connection();
  }

  #add(place: Place | undefined, connection: Connection, engine?: TlsEngine): number {
    const { clock, begin, onConnected } = this.#parts;
    const open: Open = { connection, engine, place, startedMs: clock.monotonicMs(), bytesSent: 0, bytesReceived: 0, isKnown: false, isTlsAsked: engine !== undefined, closeIt: undefined, wake: undefined };
    connection.onChange(() => {
      // The server that is called may look for the run as soon as something is sent to it, which is after this.
      const { local } = open.isKnown ? { local: undefined } : connection.describe();
      if (local !== undefined && place !== undefined) {
        open.isKnown = true;
        open.closeIt = onConnected(local, [place.address, place.port]);
      }
      open.wake?.();
    });
    const number = begin();
    this.#open.set(number, open);
    return number;
  }

  #get(number: number): Open {
    this.#checkAlive();
    const open = this.#open.get(number);
    if (open === undefined) throw networkRefusal("EBADF", "Bad file descriptor");
    return open;
  }

  #engine(number: number): TlsEngine {
    const { engine } = this.#get(number);
    if (engine === undefined) throw networkRefusal("EINVAL", "Invalid argument");
    return engine;
  }

  #close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    const { connection, place, bytesSent, bytesReceived, startedMs } = open;
    const { error } = connection.state();
    connection.onChange(undefined);
    if (open.closeIt === undefined) connection.close();
    else open.closeIt(connection);
    this.#parts.end(number);
    this.#parts.onClosed({
      address: place?.address, port: place?.port, host: place?.host, bytesSent, bytesReceived, error,
      durationMs: this.#parts.clock.monotonicMs() - startedMs,
    });
    open.wake?.();
  }

  /** What `look` gives as soon as it gives something; undefined when the time is over. */
  #wait<T>(opens: readonly Open[], waitSeconds: number | undefined, look: () => T | undefined): Promise<T | undefined> {
    // The sandbox may have given up waiting for the call before.
    this.#endWait?.();
    return new Promise((resolve, reject) => {
      let cancelTimer: (() => void) | undefined;
      const finish = (settle: () => void): void => {
        cancelTimer?.();
        for (const open of opens) open.wake = undefined;
        this.#endWait = undefined;
        settle();
      };
      const lookAgain = (): boolean => {
        try {
          this.#checkAlive();
          const found = attempt(look);
          if (found === undefined) return false;
          finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error as Error));
        }
        return true;
      };
      const giveUp = (): void => {
        if (!lookAgain()) finish(() => resolve(undefined));
      };
      if (lookAgain()) return;
      if (waitSeconds === 0) return finish(() => resolve(undefined));
      this.#endWait = giveUp;
      for (const open of opens) open.wake = () => void lookAgain();
      if (waitSeconds !== undefined) cancelTimer = this.#parts.clock.after(Math.min(waitSeconds * 1000, WAIT_MS_MAX), giveUp);
    });
  }
}

function forgetOldest(known: Map<string, unknown> | Set<string>, max: number): void {
  const [oldest] = known.keys();
  if (known.size > max && oldest !== undefined) known.delete(oldest);
}

const networkRefusal = (code: string, text: string): HostCallError => new HostCallError("network-error", `${code} ${text}`);

function refuse(error: unknown): never {
  throw error instanceof NetworkError ? networkRefusal(error.code, error.message) : error;
}

function attempt<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    return refuse(error);
  }
}

function interestsOf(bytes: Uint8Array): { readonly number: number; readonly bits: number }[] {
  if (bytes.length % INTEREST_BYTES !== 0) throw new HostCallError("value-error", "interests have 8 bytes each");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INTEREST_BYTES }, (_, index) => ({ number: view.getUint32(index * INTEREST_BYTES, true), bits: view.getUint32(index * INTEREST_BYTES + 4, true) }));
}

function readiness(open: Open | undefined, bits: number): number {
  if (open === undefined) return NET_READY.failed;
  const { readable, writable, error } = open.connection.state();
  const ready = (readable ? NET_READY.readable : 0) | (writable ? NET_READY.writable : 0);
  return (ready & bits) | (error === undefined ? 0 : NET_READY.failed);
}
