/** One HTTP request: `fetch`, and `node:https` where certificates are special, because `fetch` has no setting for them. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { HttpRequest, HttpResponse } from "./terminal.ts";

/** Rejects with the platform's error when no answer comes. */
export async function sendHttp(request: HttpRequest): Promise<HttpResponse> {
  const needsTlsOptions = request.tls.caFile !== undefined || request.tls.noVerify;
  return needsTlsOptions && request.url.startsWith("https:") ? sendTls(request) : sendFetch(request);
}

async function sendFetch(request: HttpRequest): Promise<HttpResponse> {
  const response = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit["body"]> }),
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: chunks(response.body),
  };
}

async function* chunks(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

async function sendTls(request: HttpRequest): Promise<HttpResponse> {
  const { request: open } = await import("node:https");
  const ca = request.tls.caFile === undefined ? undefined : await readFile(request.tls.caFile);
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = open(request.url, {
      method: request.method,
      headers: request.headers,
      minVersion: "TLSv1.3",
      rejectUnauthorized: !request.tls.noVerify,
      ...(ca === undefined ? {} : { ca }),
    });
    outgoing.on("response", resolve).on("error", reject);
    outgoing.end(request.body);
  });
  return {
    status: incoming.statusCode ?? 0,
    header: (name) => [incoming.headers[name]].flat()[0],
    body: incoming as AsyncIterable<Uint8Array>,
  };
}
