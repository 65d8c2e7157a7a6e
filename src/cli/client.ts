/** The command line's side of the HTTP API: one request, its answer, and errors as people read them (spec: cli §1). */
import { joinBytes } from "../core/bytes/join.ts";
import { DatabaseError, isDatabaseError, messageOf } from "../core/errors/database-error.ts";
import type { ParsedArguments } from "./parsed-arguments.ts";
import type { HttpResponse, Terminal } from "./terminal.ts";

export const DEFAULT_HOST = "http://127.0.0.1:8181";

/** Error bodies are short; more of one is not shown. */
const ERROR_BODY_SIZE_MAX = 64 * 1024;

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Client {
  readonly #base: string;
  readonly #arguments: ParsedArguments;
  readonly #terminal: Terminal;

  /** `hostFlag` beats `--host` when it is given: `query` and `write` have hosts of their own. */
  constructor(given: ParsedArguments, terminal: Terminal, hostFlag?: string) {
    const host = (hostFlag === undefined ? undefined : given.text(hostFlag)) ?? given.text("host") ?? DEFAULT_HOST;
    this.#base = host.replace(/\/+$/, "");
    this.#arguments = given;
    this.#terminal = terminal;
  }

  /** Throws `cli.unreachable` and, for every status of 400 and above, `cli.refused`. */
  async call(call: Call): Promise<HttpResponse> {
    const url = `${this.#base}${call.path}${queryText(call.query)}`;
    const response = await this.#send(url, call);
    if (response.status >= 400) throw await refusal(response);
    return response;
  }

  async #send(url: string, call: Call): Promise<HttpResponse> {
    const token = this.#arguments.text("token");
    const body = call.json === undefined ? call.bytes : JSON.stringify(call.json);
    try {
      return await this.#terminal.http({
        method: call.method,
        url,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(call.json === undefined ? {} : { "content-type": "application/json" }),
          ...call.headers,
        },
        ...(body === undefined ? {} : { body }),
        tls: { caFile: this.#arguments.text("tls-ca"), noVerify: this.#arguments.isSet("tls-no-verify") },
      });
    } catch (error) {
      throw unreachable(call.method, url, error);
    }
  }
}

function queryText(query: Call["query"]): string {
  return query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
}

function unreachable(method: string, url: string, error: unknown): DatabaseError {
  if (isDatabaseError(error)) return error;
  const cause = innermost(error);
  const { protocol, host } = new URL(url);
  const isRefused = /ECONNREFUSED|refused|ConnectionRefused|Unable to connect/i.test(`${cause.code} ${cause.text}`);
  const shownUrl = url.split("?")[0];
  return new DatabaseError("cli.unreachable", {
    message: `failed to send ${method} ${shownUrl} request: ${isRefused ? "connection refused" : cause.text}`,
    hint: isRefused
      ? `no server listens at ${protocol}//${host}: start one with 'npm start' or 'influxdb3 serve --node-id node0', or name another with --host`
      : `check --host (${protocol}//${host})`,
    cause: error,
  });
}

/** `fetch failed` says nothing; what happened is in its cause. */
function innermost(error: unknown): { readonly text: string; readonly code: string } {
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error && current.cause instanceof Error; depth++) current = current.cause;
  const code = current instanceof Error && "code" in current ? String(current.code) : "";
  const text = messageOf(current);
  return { text: text === "" ? code : text, code };
}

async function refusal(response: HttpResponse): Promise<DatabaseError> {
  const body = await readText(response.body, ERROR_BODY_SIZE_MAX);
  const hint = hintIn(body) ?? response.header("tidemark-hint");
  return new DatabaseError("cli.refused", {
    message: `server responded with error [${response.status} ${reasonOf(response.status)}]: ${shownBody(body)}`,
    ...(hint === undefined ? {} : { hint }),
    details: { status: response.status },
  });
}

/** Our additions to the body are shown as the hint, so the body prints as the reference's. */
function shownBody(body: string): string {
  const parsed = parseRecord(body);
  if (parsed === undefined) return body;
  const { code: _code, hint: _hint, ...rest } = parsed;
  return "message" in parsed ? body : JSON.stringify(rest);
}

function hintIn(body: string): string | undefined {
  const hint = parseRecord(body)?.["hint"];
  return typeof hint === "string" ? hint : undefined;
}

function parseRecord(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A body as text; what comes after about `sizeMax` bytes is cut off and marked. */
export async function readText(body: AsyncIterable<Uint8Array>, sizeMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > sizeMax) break;
  }
  return new TextDecoder().decode(joinBytes(chunks)) + (size > sizeMax ? "…" : "");
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Entity",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function reasonOf(status: number): string {
  return REASONS[status] ?? "Error";
}
