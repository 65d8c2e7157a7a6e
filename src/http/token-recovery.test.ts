import { expect, it } from "vitest";
import { DatabaseError } from "../core/errors/database-error.ts";
import type { IssuedToken } from "./services.ts";
import { createTokenRecovery } from "./token-recovery.ts";

const URL_OF_IT = "http://127.0.0.1:8182/api/v3/configure/token/admin/regenerate";
const token: IssuedToken = { text: "apiv3_new", definition: { id: 1, name: "_admin", hash: "aa", createdMs: 5n } };

function recovery(localCallersOnly = true): { readonly fetch: (request: Request) => Promise<Response>; readonly uses: number[]; fails: boolean } {
  const uses: number[] = [];
  const made = { fails: false, uses, fetch: createTokenRecovery({ tokens: { regenerateOperator: async () => {
    if (made.fails) throw new DatabaseError("resource.not_found", { message: "no operator token" });
    return token;
  } }, localCallersOnly, onUsed: () => uses.push(1) }) };
  return made;
}

const regenerate = (headers: Record<string, string> = {}, url = URL_OF_IT): Request => new Request(url, { method: "POST", headers });

it("replaces the token once, even for two callers at once", async () => {
  const { fetch, uses } = recovery();
  const [first, second] = await Promise.all([fetch(regenerate()), fetch(regenerate())]);
  expect([first.status, second.status, await second.text(), uses.length]).toEqual([201, 404, "not found", 1]);
  expect(await first.json()).toMatchObject({ name: "_admin", token: "apiv3_new" });
});

it.each([
  ["GET", new Request(URL_OF_IT)],
  ["another path", new Request("http://127.0.0.1:8182/api/v3/configure/token/admin", { method: "POST" })],
])("knows nothing of %s", async (_, request) => {
  const { fetch, uses } = recovery();
  const answer = await fetch(request);
  expect([answer.status, await answer.text(), uses]).toEqual([404, "not found", []]);
});

it.each([
  ["a page of another site", { origin: "https://example.org" }, true],
  ["a page of another site, on an address others reach", { origin: "https://example.org" }, false],
  ["a name that was pointed here", { host: "evil.example" }, true],
])("turns %s away", async (_, headers, localCallersOnly) => {
  const { fetch, uses } = recovery(localCallersOnly);
  expect([(await fetch(regenerate(headers))).status, uses]).toEqual([403, []]);
});

it("stays open after a failure", async () => {
  const made = recovery();
  made.fails = true;
  expect((await made.fetch(regenerate())).status).toBe(404);
  made.fails = false;
  expect([(await made.fetch(regenerate())).status, made.uses.length]).toEqual([201, 1]);
});
