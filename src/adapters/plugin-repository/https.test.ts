// Goal: every way in which a repository can answer badly ends bounded and with a reason. Method: a local HTTP server.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createHttpsRepository } from "./https.ts";

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url === "/file") response.end("code");
    else if (url === "/moved") response.writeHead(302, { location: "/file" }).end();
    else if (url === "/loop") response.writeHead(302, { location: "/loop" }).end();
    else if (url === "/large") response.end("x".repeat(1001));
    else if (url === "/silent") response.write("x");
    else response.writeHead(404).end("not here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string, timeMsMax = 5_000): Promise<{ status: number; statusText: string; body: Uint8Array }> => createHttpsRepository().get(base + path, { bytesMax: 1000, timeMsMax });

it("answers with status and body, following redirects", async () => {
  for (const path of ["/file", "/moved"]) {
    const { status, body } = await get(path);
    expect([status, new TextDecoder().decode(body)]).toEqual([200, "code"]);
  }
});

it("gives refusals without their bodies", async () => expect(await get("/none")).toMatchObject({ status: 404, statusText: "Not Found", body: new Uint8Array() }));

it.each([
  ["/loop", "more than 5 redirects"],
  ["/large", "the file is larger than 1000 bytes"],
])("%s is refused: %s", async (path, text) => expect(get(path)).rejects.toMatchObject({ code: "plugin.repository", message: text }));

it("gives up on an answer that does not end", async () => expect(get("/silent", 100)).rejects.toMatchObject({ message: "no answer within 100 ms" }));

it("says why there is no connection", async () => {
  await expect(createHttpsRepository().get("http://127.0.0.1:1/x", { bytesMax: 1, timeMsMax: 5_000 })).rejects.toMatchObject({ code: "plugin.repository", message: expect.stringMatching(/ECONNREFUSED|bad port/) });
});
