// Goal: plugins' connections behave the same on every runtime, TLS failures have Python's words on each, and the server knows
// the other end of its connections, by which it knows a run that calls it. Method: the same scenarios in a process of each
// runtime, against local servers with a private authority.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { COMMANDS } from "../support/server.ts";
import { runScenarios } from "../support/network-scenarios.ts";

const SCENARIOS = fileURLToPath(new URL("../support/network-scenarios.ts", import.meta.url));

const UNVERIFIED = "CERTIFICATE_VERIFY_FAILED certificate verify failed:";
const NAMES = '[["DNS","localhost"],';
const TLS_1_3 = expect.stringMatching(/^TLSv1\.3 (?:128|256) undefined \[\["DNS","localhost"\], true secret$/);

const EXPECTED = {
  "half-close": "saw hello",
  large: "3000000",
  lingering: "true",
  refused: "ECONNREFUSED",
  reset: "ECONNRESET",
  localhost: "true",
  "unknown name": expect.stringMatching(/^EAI_(?:NONAME|AGAIN)$/),
  tls: TLS_1_3,
  "tls 1.2, an address": expect.stringMatching(/^TLSv1\.2 .* true secret$/),
  alpn: expect.stringContaining(` http/1.1 ${NAMES} true secret`),
  "two authorities": TLS_1_3,
  "and the runtime's": TLS_1_3,
  "client certificate": "a client",
  unverified: expect.stringMatching(/^TLSv1\.3 .* null true secret$/),
  "unknown authority": `${UNVERIFIED} unable to get local issuer certificate`,
  "no authority": `${UNVERIFIED} unable to get local issuer certificate`,
  "self-signed": `${UNVERIFIED} self-signed certificate`,
  expired: `${UNVERIFIED} certificate has expired`,
  "wrong name": `${UNVERIFIED} Hostname mismatch, certificate is not valid for 'localhost'.`,
  "wrong name, unchecked": expect.stringMatching(/ true secret$/),
  "not tls": "SSL_ERROR [SSL: WRONG_VERSION_NUMBER] wrong version number",
  "too old": "SSL_ERROR [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version",
  "cut handshake": "SSL_ERROR [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
  carried: "carried",
  "peer of HTTP": "true",
  "peer of HTTPS": "true",
};

it("connections on node", async () => {
  expect(await runScenarios()).toEqual(EXPECTED);
});

it.each(["deno", "bun"] as const)("connections on %s", (runtime) => {
  const [command, ...flags] = COMMANDS[runtime] as [string, ...string[]];
  const { stdout, stderr } = spawnSync(command, [...flags, ...(runtime === "deno" ? ["--no-check"] : []), SCENARIOS], { encoding: "utf8", timeout: 60_000 });
  // Deno's TLS finds the wrong issuer first.
  const expired = runtime === "deno" ? { expired: EXPECTED["unknown authority"] } : {};
  expect(stdout === "" ? stderr : JSON.parse(stdout)).toEqual({ ...EXPECTED, ...expired });
});
