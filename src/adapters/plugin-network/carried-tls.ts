/** TLS whose encrypted bytes the plugin carries itself: the runtime's TLS on a stream in memory. */
import { Duplex } from "node:stream";
import { NetworkError, type ConnectionDescription, type ConnectionState, type TlsEngine, type TlsSettings } from "../../ports/plugin-network.ts";
import { ByteQueue } from "./byte-queue.ts";
import { systemError } from "./errors.ts";
import { ENCRYPTED_BYTES_MAX, QUIET_TURNS, RECEIVE_BYTES_MAX, SEND_BYTES_MAX, SETTLE_TURNS_MAX } from "./limits.ts";
import { StreamConnection, type StreamParts } from "./stream-connection.ts";

export class CarriedTls implements TlsEngine {
  readonly #carrier: Carrier;
  readonly #connection: StreamConnection;
  #listener: (() => void) | undefined;
  #changes = 0;

  constructor(settings: TlsSettings, parts: StreamParts) {
    this.#carrier = new Carrier();
    this.#connection = new StreamConnection(this.#carrier, parts);
    this.#connection.onChange(() => {
      this.#changes += 1;
      this.#listener?.();
    });
    this.#connection.startTls(settings);
  }

  state(): ConnectionState {
    const state = this.#connection.state();
    return { ...state, writable: state.writable && (state.error !== undefined || this.#carrier.outgoing.length < SEND_BYTES_MAX) };
  }

  onChange(listener: (() => void) | undefined): void {
    this.#listener = listener;
  }

  startTls(): void {
    throw systemError("EINVAL");
  }

  send(bytes: Uint8Array): number {
    const room = SEND_BYTES_MAX - this.#carrier.outgoing.length;
    return this.#connection.send(bytes.subarray(0, Math.max(0, room)));
  }

  receive(bytesMax: number): Uint8Array | undefined {
    return this.#connection.receive(bytesMax);
  }

  end(): void {
    this.#connection.end();
  }

  describe(): ConnectionDescription {
    return this.#connection.describe();
  }

  close(): void {
    this.#connection.close();
    this.#listener = undefined;
    this.#carrier.outgoing.clear();
  }

  async feed(bytes: Uint8Array): Promise<void> {
    if (this.#carrier.readableLength > RECEIVE_BYTES_MAX) throw new NetworkError("ENOBUFS", "receive what was decrypted before more is fed");
    this.#carrier.arrive(bytes);
    await this.settled();
  }

  drain(): Uint8Array {
    const bytes = this.#carrier.outgoing.take(this.#carrier.outgoing.length);
    if (bytes.length >= SEND_BYTES_MAX) this.#listener?.();
    return bytes;
  }

  /** The runtime does its work in turns of the event loop and does not say when it is done: several without any are the end. */
  async settled(): Promise<void> {
    await this.#connection.prepared();
    let quiet = 0;
    for (let turn = 0; turn < SETTLE_TURNS_MAX && quiet < QUIET_TURNS; turn += 1) {
      const before = this.#changes + this.#carrier.activity;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      quiet = before === this.#changes + this.#carrier.activity ? quiet + 1 : 0;
    }
  }
}

/** What the runtime's TLS takes for the network. */
class Carrier extends Duplex {
  readonly outgoing = new ByteQueue();
  activity = 0;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** None: the peer has ended. */
  arrive(bytes: Uint8Array): void {
    if (this.destroyed || this.readableEnded) return;
    this.activity += 1;
    this.push(bytes.length === 0 ? null : Buffer.from(bytes));
  }

  override _read(): void {
    this.activity += 1;
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.activity += 1;
    if (this.outgoing.length > ENCRYPTED_BYTES_MAX) return done(systemError("ENOBUFS"));
    this.outgoing.push(bytes);
    done();
  }

  override _final(done: () => void): void {
    this.activity += 1;
    done();
  }
}
