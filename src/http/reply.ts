/**
 * What a route answers, before it becomes a `Response`. A returned reply is a success (it gets the CORS header), an
 * error is thrown; so the order of spec http-api §2 holds without a route knowing about it.
 */

export type ReplyHeaders = Readonly<Record<string, string>>;

export interface Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** Only for headers that may repeat, such as `set-cookie`. */
  readonly repeatedHeaders?: readonly (readonly [name: string, value: string])[];
}

export const CORS_ON_SUCCESS: ReplyHeaders = { "access-control-allow-origin": "*" };

export const EMPTY_OK: Reply = { status: 200, headers: {}, body: undefined };
export const NO_CONTENT: Reply = { status: 204, headers: {}, body: undefined };

export function jsonReply(value: unknown, status = 200): Reply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

export function textReply(text: string): Reply {
  return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: text };
}

const encoder = new TextEncoder();

/**
 * Text becomes bytes because `fetch` adds a content type to text, and error bodies must carry none (spec: http-api
 * §2); headers stay a plain object because the Node server adds a default content type to `Headers`.
 */
export function toResponse(reply: Reply, extra: ReplyHeaders): Response {
  const body = typeof reply.body === "string" ? encoder.encode(reply.body) : reply.body;
  const headers: Record<string, string> = { ...reply.headers, ...extra };
  const response = new Response((body ?? null) as ConstructorParameters<typeof Response>[0], { status: reply.status, headers });
  for (const [name, value] of reply.repeatedHeaders ?? []) response.headers.append(name, value);
  return response;
}
