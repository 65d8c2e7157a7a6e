/**
 * HTTP/1.1 on a bare socket that is kept open: what a server really sends, framing included, and any header a test wants.
 * Everything else (`fetch`, `node:http`) hides one or the other, and differs between runtimes.
 */
import { connect, type Socket } from "node:net";

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Sent as they are, after `Host` and `Content-Length`, which they replace. */
  readonly headers: Headers;
  readonly body?: Uint8Array | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

interface Waiting {
  readonly isHead: boolean;
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: Error) => void;
}

/** One request at a time over one connection, renewed when the server ends it. */
export class HttpClient {
  readonly #port: number;
  #socket: Socket | undefined;
  #came = Buffer.alloc(0);
  #waiting: Waiting | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** A kept connection may have ended just before: such a request is sent once more, as every client does. */
  async ask(asked: Asked): Promise<Answered> {
    const wasOpen = this.#socket !== undefined;
    try {
      return await this.#askOnce(asked);
    } catch (error) {
      if (!wasOpen || !(error instanceof EndedBefore)) throw error;
      return this.#askOnce(asked);
    }
  }

  /** Resolves to the bytes that came first and cuts the connection. */
  async hangUp(asked: Asked): Promise<number> {
    const socket = connect(this.#port, "127.0.0.1");
    socket.write(headOf(asked, this.#port));
    const first = await new Promise<Buffer>((resolve, reject) => socket.once("data", resolve).once("error", reject));
    socket.destroy();
    return first.length;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #askOnce(asked: Asked): Promise<Answered> {
    const socket = (this.#socket ??= this.#open());
    return new Promise((resolve, reject) => {
      this.#waiting = { isHead: asked.method === "HEAD", resolve, reject };
      socket.write(headOf(asked, this.#port));
      if (asked.body !== undefined) socket.write(asked.body);
    });
  }

  #open(): Socket {
    const socket = connect(this.#port, "127.0.0.1");
    socket.on("data", (chunk) => {
      this.#came = Buffer.concat([this.#came, chunk]);
      this.#read(socket, false);
    });
    const ended = (): void => {
      if (this.#socket !== socket) return;
      this.#read(socket, true);
      this.#lose(socket);
      this.#fail();
    };
    return socket.on("error", ended).on("end", ended).on("close", ended);
  }

  #read(socket: Socket, isEnded: boolean): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const answer = parseAnswer(this.#came, waiting.isHead, isEnded);
    if (answer === undefined) return;
    this.#waiting = undefined;
    const rest = this.#came.subarray(answer.size);
    this.#came = Buffer.alloc(0);
    if (answer.headers.get("connection")?.toLowerCase() === "close") this.#lose(socket);
    if (rest.length > 0) waiting.reject(new Error(`Bytes after the answer: ${rest.toString("latin1")}`));
    else waiting.resolve(answer);
  }

  #lose(socket: Socket): void {
    socket.destroy();
    if (this.#socket === socket) this.#socket = undefined;
  }

  #fail(): void {
    const came = this.#came;
    this.#came = Buffer.alloc(0);
    this.#waiting?.reject(came.length === 0 ? new EndedBefore("The connection ended before an answer") : new Error(`The answer was cut after ${came.length} bytes`));
    this.#waiting = undefined;
  }
}

class EndedBefore extends Error {}

function headOf({ method, target, headers, body }: Asked, port: number): string {
  const lines = [`${method} ${target} HTTP/1.1`];
  if (!headers.has("host")) lines.push(`Host: 127.0.0.1:${port}`);
  if (body !== undefined && !headers.has("content-length")) lines.push(`Content-Length: ${body.length}`);
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Undefined: not all there yet. `size`: bytes of the whole answer. */
function parseAnswer(bytes: Buffer, isHead: boolean, isEnded: boolean): (Answered & { readonly size: number }) | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]);
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  const start = headEnd + 4;
  const whole = (body: Uint8Array, size: number): Answered & { readonly size: number } => ({ status, headers, body, size });
  if (isHead || status === 204 || status === 304) return whole(new Uint8Array(), start);
  if (headers.get("transfer-encoding") === "chunked") {
    const chunks = readChunks(bytes, start);
    return chunks === undefined ? undefined : whole(chunks.body, chunks.end);
  }
  const length = headers.get("content-length");
  if (length === null) return isEnded ? whole(bytes.subarray(start), bytes.length) : undefined;
  const end = start + Number(length);
  return bytes.length < end ? undefined : whole(bytes.subarray(start, end), end);
}

function readChunks(bytes: Buffer, start: number): { readonly body: Uint8Array; readonly end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(bytes.subarray(lineEnd + 2, next - 2));
    at = next;
  }
}
