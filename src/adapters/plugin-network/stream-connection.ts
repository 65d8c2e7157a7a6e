/** A `Connection` over a stream of the runtime: a socket, TLS on it, or TLS on bytes that the plugin carries. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { NetworkError, type Connection, type ConnectionDescription, type ConnectionState, type TlsDescription, type TlsSettings } from "../../ports/plugin-network.ts";
import { ByteQueue } from "./byte-queue.ts";
import { networkError, systemError, unexpectedEnd } from "./errors.ts";
import type { Lingering } from "./lingering.ts";
import { PIECE_BYTES, RECEIVE_BYTES_MAX, SEND_BYTES_MAX } from "./limits.ts";
import { describeTls } from "./tls-description.ts";
import type { PreparingBudget, TlsOptions } from "./tls-options.ts";
import type { Turns } from "./turns.ts";

export interface StreamParts {
  readonly tls: TlsOptions;
  /** What is left to one run. */
  readonly preparing: PreparingBudget;
  readonly handshakes: Turns;
  readonly lingering: Lingering;
}

type Address = readonly [address: string, port: number];

export class StreamConnection implements Connection {
  readonly #parts: StreamParts;
  /** What the bytes go over. */
  readonly #carrier: Duplex;
  /** What the plugin's bytes go through: the carrier, or TLS on it. */
  #stream: Duplex;
  #phase: "connecting" | "open" | "waits-for-tls" | "handshake" | "closed" = "connecting";
  readonly #received = new ByteQueue();
  #isPaused = false;
  #peerEnded = false;
  #ended = false;
  #outgoingBytes = 0;
  #error: NetworkError | undefined;
  #listener: (() => void) | undefined;
  #local: Address | undefined;
  #remote: Address | undefined;
  #tls: TlsDescription | undefined;
  #settings: TlsSettings | undefined;
  #prepared: Promise<void> | undefined;
  /** To be called when the handshake has ended. */
  #giveTurnBack: (() => void) | undefined;

  /** A socket that is connecting, or a stream that is there. */
  constructor(carrier: Duplex, parts: StreamParts) {
    this.#parts = parts;
    this.#carrier = carrier;
    this.#stream = carrier;
    carrier.on("error", (error) => this.#fail(error));
    if (!(carrier instanceof Socket)) {
      this.#phase = "open";
      return;
    }
    carrier.once("connect", () => {
      if (this.#phase === "closed") return;
      this.#local = addressOf(carrier.localAddress, carrier.localPort);
      this.#remote = addressOf(carrier.remoteAddress, carrier.remotePort);
      this.#phase = "open";
      this.#listen(carrier);
      this.#changed();
    });
  }

  state(): ConnectionState {
    const error = this.#error;
    const isReady = this.#phase === "open" && (this.#ended || this.#room > 0);
    return { readable: error !== undefined || this.#peerEnded || this.#received.length > 0, writable: error !== undefined || isReady, error };
  }

  onChange(listener: (() => void) | undefined): void {
    this.#listener = listener;
  }

  startTls(settings: TlsSettings): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#phase === "connecting" || this.#phase === "closed" || this.#ended || this.#peerEnded) throw systemError("ENOTCONN");
    if (this.#phase !== "open" || this.#settings !== undefined) throw systemError("EINVAL");
    // Nobody speaks TLS before the client does: whatever came is not of it, and must not look as if it had come through it.
    if (this.#received.length > 0) throw new NetworkError("SSL_ERROR", "[SSL: WRONG_VERSION_NUMBER] wrong version number");
    this.#settings = settings;
    this.#phase = "waits-for-tls";
    this.#beginTls();
  }

  send(bytes: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    if (this.#ended || this.#phase === "closed") throw systemError("EPIPE");
    if (this.#phase !== "open") return 0;
    const piece = bytes.slice(0, Math.max(0, this.#room));
    if (piece.length === 0) return 0;
    const cost = piece.length + PIECE_BYTES;
    this.#outgoingBytes += cost;
    this.#stream.write(piece, () => {
      this.#outgoingBytes -= cost;
      this.#beginTls();
      this.#changed();
    });
    return piece.length;
  }

  receive(bytesMax: number): Uint8Array | undefined {
    const bytes = this.#received.take(bytesMax);
    if (this.#isPaused && this.#received.length < RECEIVE_BYTES_MAX / 2) {
      this.#isPaused = false;
      this.#stream.resume();
    }
    if (bytes.length > 0) return bytes;
    if (this.#error !== undefined) throw this.#error;
    return this.#peerEnded ? bytes : undefined;
  }

  end(): void {
    if (this.#error !== undefined || this.#ended || this.#phase === "closed") return;
    if (this.#phase !== "open") throw systemError("ENOTCONN");
    this.#ended = true;
    this.#stream.end();
    this.#changed();
  }

  describe(): ConnectionDescription {
    return { local: this.#local, remote: this.#remote, tls: this.#tls };
  }

  /** Resolves when a TLS that was to begin has begun, or failed. */
  async prepared(): Promise<void> {
    await this.#prepared;
  }

  close(): void {
    if (this.#phase === "closed") return;
    const hasUnsent = this.#phase === "open" && this.#error === undefined && this.#outgoingBytes > 0;
    this.#phase = "closed";
    this.#giveTurnBack?.();
    this.#listener = undefined;
    this.#received.clear();
    this.#stream.removeAllListeners("data");
    const destroy = (): void => {
      this.#stream.destroy();
      this.#carrier.destroy();
    };
    if (!hasUnsent) return destroy();
    this.#parts.lingering.add(this.#stream, destroy);
  }

  get #room(): number {
    return SEND_BYTES_MAX - this.#outgoingBytes - PIECE_BYTES;
  }

  #listen(stream: Duplex): void {
    stream.on("data", (bytes: Uint8Array) => {
      this.#received.push(bytes);
      if (this.#received.length >= RECEIVE_BYTES_MAX && !this.#isPaused) {
        this.#isPaused = true;
        stream.pause();
      }
      this.#changed();
    });
    stream.once("end", () => this.#endOfPeer());
    // Some runtimes tell no more of a peer that is gone.
    stream.once("close", () => this.#endOfPeer());
  }

  #endOfPeer(): void {
    if (this.#phase === "closed" || this.#peerEnded) return;
    if (this.#phase === "handshake") return this.#fail(unexpectedEnd());
    this.#peerEnded = true;
    this.#changed();
  }

  /** As soon as everything that was sent before is on its way. */
  #beginTls(): void {
    if (this.#phase !== "waits-for-tls" || this.#outgoingBytes > 0 || this.#settings === undefined) return;
    this.#phase = "handshake";
    for (const event of ["data", "end", "close"]) this.#carrier.removeAllListeners(event);
    this.#carrier.pause();
    this.#prepared = this.#handshake(this.#settings).catch((error: unknown) => this.#fail(error));
  }

  /** Resolves when the handshake is under way, or cannot be. */
  async #handshake(settings: TlsSettings): Promise<void> {
    // What the plugin carries goes on only with its calls, one at a time; and it may wait for another of its own.
    if (this.#carrier instanceof Socket) this.#giveTurnBack = await this.#parts.handshakes.take();
    const options = this.#isUnderWay ? await this.#parts.tls.for(settings, this.#parts.preparing) : undefined;
    if (options === undefined || !this.#isUnderWay) return this.#giveTurnBack?.();
    const socket: TLSSocket = connectTls({ ...options, socket: this.#carrier as Socket, allowHalfOpen: true } as ConnectionOptions);
    this.#stream = socket;
    socket.on("error", (error) => this.#fail(error));
    socket.once("secureConnect", () => {
      if (this.#phase !== "handshake") return;
      this.#giveTurnBack?.();
      try {
        this.#tls = describeTls(socket, settings.verify);
      } catch (error) {
        return this.#fail(error);
      }
      this.#phase = "open";
      this.#changed();
    });
    this.#listen(socket);
  }

  get #isUnderWay(): boolean {
    return this.#phase === "handshake" && this.#error === undefined;
  }

  #fail(error: unknown): void {
    if (this.#phase === "closed" || this.#error !== undefined) return;
    this.#error = networkError(error, this.#settings?.serverName);
    this.#giveTurnBack?.();
    this.#stream.destroy();
    this.#carrier.destroy();
    this.#changed();
  }

  #changed(): void {
    this.#listener?.();
  }
}

function addressOf(address: string | undefined, port: number | undefined): Address | undefined {
  return address === undefined || port === undefined ? undefined : [address, port];
}
