/** Requests to a running server and what they must be answered with, as rows of a table. Rows run in order and may build on each other. */
import { expect } from "vitest";
import type { TestServer } from "./server.ts";

export interface HttpCase {
  /** Begins with the section of the specification. */
  readonly name: string;
  /** `POST /path?query`. */
  readonly line: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly text?: string | RegExp;
  /** null: absent. */
  readonly has?: Readonly<Record<string, string | RegExp | null>>;
  /** Keeps the member `token` of the answer under this name; later rows write `{name}` in a header, path or body. */
  readonly keeps?: string;
}

export const JSON_BODY = { "content-type": "application/json" };

export async function check(server: TestServer, asked: HttpCase, kept: Map<string, string> = new Map()): Promise<void> {
  const fill = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => kept.get(name) ?? whole);
  const [method, path] = fill(asked.line).split(" ") as [string, string];
  const headers = Object.fromEntries(Object.entries(asked.headers ?? {}).map(([name, value]) => [name, fill(value)]));
  const body = typeof asked.body === "string" ? new TextEncoder().encode(fill(asked.body)) : asked.body;
  const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) });
  const answer = await response.text();
  const { text } = asked;
  expect([response.status, answer]).toEqual([asked.status, typeof text === "string" ? text : text === undefined ? expect.any(String) : expect.stringMatching(text)]);
  for (const [name, value] of Object.entries(asked.has ?? {})) {
    const found = response.headers.get(name);
    if (value instanceof RegExp) expect(found).toMatch(value);
    else expect(found).toBe(value);
  }
  if (asked.keeps !== undefined) kept.set(asked.keeps, (JSON.parse(answer) as { readonly token: string }).token);
}
