/** One answer over uWebSockets.js. After an abort nothing is sent: the library forbids touching the response then. */
import { STATUS_CODES } from "node:http";
import type { PeerOf, RawReply } from "../../ports/http-listener.ts";
import type { UwsResponse } from "./uws-module.ts";

interface SendOptions {
  /** The body was not read to its end, so nothing can follow on this connection. */
  readonly closesConnection: boolean;
}

/** uWS counts the length itself, and a wrong `connection` or transfer coding breaks its framing. */
const OWN_HEADERS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection", "keep-alive"]);

export class UwsReply {
  /** Resolves when the answer was handed over whole or its client is gone. */
  readonly finished: Promise<void>;
  /** The whole body came, or no more of it is wanted. */
  hasBody = false;
  onAborted: () => void = () => undefined;
  readonly #response: UwsResponse;
  readonly #abort = new AbortController();
  readonly #isClosing: () => boolean;
  #finish: () => void = () => undefined;
  #isGone = false;
  #wake: (() => void) | undefined;

  constructor(response: UwsResponse, isClosing: () => boolean) {
    this.#response = response;
    this.#isClosing = isClosing;
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    response.onAborted(() => {
      this.#isGone = true;
      this.#abort.abort();
      this.onAborted();
      this.#wake?.();
      this.#finish();
    });
  }

  /** Aborted when the client goes away. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  peer(): ReturnType<PeerOf> {
    if (this.#isGone) return undefined;
    return [Buffer.from(this.#response.getRemoteAddressAsText()).toString("latin1"), this.#response.getRemotePort?.() ?? 0];
  }

  sendRaw(reply: RawReply, { closesConnection }: SendOptions): void {
    if (this.#isGone) return;
    this.#response.cork(() => {
      this.#writeHead(reply.status, Object.entries(reply.headers));
      this.#end(reply.status, reply.body, closesConnection);
    });
    this.#finish();
  }

  async send(answer: Response, { closesConnection }: SendOptions): Promise<void> {
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    const second = first?.done === false ? await reader?.read() : undefined;
    if (this.#isGone) {
      await reader?.cancel();
      return;
    }
    if (reader === undefined || first === undefined || first.done || second?.done === true) {
      this.#response.cork(() => {
        this.#writeHead(answer.status, answer.headers);
        this.#end(answer.status, first?.value, closesConnection);
      });
    } else {
      await this.#stream(answer, reader, [first.value, second?.value as Uint8Array], closesConnection);
    }
    this.#finish();
  }

  async #stream(answer: Response, reader: ReadableStreamDefaultReader<Uint8Array>, ahead: readonly Uint8Array[], closesConnection: boolean): Promise<void> {
    this.#response.onWritable(() => {
      this.#wake?.();
      return true;
    });
    this.#response.cork(() => this.#writeHead(answer.status, answer.headers));
    for (const chunk of ahead) await this.#write(chunk);
    try {
      for (let part = await reader.read(); !part.done && !this.#isGone; part = await reader.read()) await this.#write(part.value);
    } catch {
      // The status is sent already: only a cut connection tells the client that rows are missing.
      if (!this.#isGone) this.#response.close();
      this.#isGone = true;
    }
    if (this.#isGone) await reader.cancel();
    else this.#response.cork(() => this.#response.end(undefined, closesConnection || this.#isClosing()));
  }

  /** Resolves when the socket takes more. */
  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#isGone) return;
    let hasRoom = true;
    this.#response.cork(() => (hasRoom = this.#response.write(chunk)));
    if (!hasRoom && !this.#isGone) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  #writeHead(status: number, headers: Iterable<readonly [string, string]>): void {
    this.#response.writeStatus(`${status} ${STATUS_CODES[status] ?? ""}`.trimEnd());
    for (const [name, value] of headers) if (!OWN_HEADERS.has(name)) this.#response.writeHeader(name, value);
  }

  /** 204 and 304 have no body and no length. */
  #end(status: number, body: Uint8Array | string | undefined, closesConnection: boolean): void {
    const closes = closesConnection || this.#isClosing();
    if (status === 204 || status === 304) this.#response.endWithoutBody(undefined, closes);
    else this.#response.end(body ?? "", closes);
  }
}
