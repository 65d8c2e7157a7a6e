// Goal: HTTPS on every runtime, with the oldest protocol that was asked for. Method: the real program with a self-made
// certificate, asked by node:https with and without trust in it, and by the command line.
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { removeFolder, runCli, startServer, type RuntimeName } from "../support/server.ts";

const file = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const FLAGS = ["--tls-cert", file("cert.pem"), "--tls-key", file("key.pem")];
const ca = readFileSync(file("cert.pem"));

const ask = (url: string, options: object): Promise<number | string> =>
  new Promise((resolve) => {
    get(`${url}/health`, { agent: false, ...options }, (response) => resolve(response.resume().statusCode ?? 0)).on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

describe.each(["node", "deno", "bun"] as const)("HTTPS on %s", (runtime: RuntimeName) => {
  it("answers who trusts the certificate", async () => {
    const server = await startServer({ runtime, flags: FLAGS });
    try {
      expect(await ask(server.url, { ca })).toBe(200);
      expect(await ask(server.url, {})).toMatch(/SELF_SIGNED/);
      expect(await ask(server.url, { ca, maxVersion: "TLSv1.2" })).toBe(200);
      const cli = await runCli(["write", "-d", "db", "m f=1", "--host", server.url, "--tls-ca", file("cert.pem")]);
      expect([cli.code, await runCli(["show", "databases", "--host", server.url, "--tls-no-verify", "--format", "csv"]).then(({ stdout }) => stdout.includes("db"))]).toEqual([0, true]);
      expect((await runCli(["show", "databases", "--host", server.url])).stderr).toMatch(/self.signed/i);
    } finally {
      await server.stop();
      removeFolder(server.folder);
    }
  });
});

it.each(["node", "bun"] as const)("%s refuses TLS 1.2 when told to", async (runtime) => {
  const server = await startServer({ runtime, flags: [...FLAGS, "--tls-minimum-version", "tls-1.3"] });
  try {
    expect(await ask(server.url, { ca })).toBe(200);
    expect(await ask(server.url, { ca, maxVersion: "TLSv1.2" })).toMatch(/PROTOCOL_VERSION|EPROTO|ECONNRESET/);
  } finally {
    await server.stop();
    removeFolder(server.folder);
  }
});
