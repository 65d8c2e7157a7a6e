import { expect, it } from "vitest";
import { parseTls } from "./tls.ts";

const parse = (cert?: string, key?: string, minimumVersion?: string): unknown => parseTls({ cert, key, minimumVersion }, (path) => `/here/${path}`);

it("parseTls() wants a certificate and a key together (spec: cli §3.1)", () => {
  expect(parse()).toBeUndefined();
  expect(parse("c", "k")).toEqual({ certFile: "/here/c", keyFile: "/here/k", minimumVersion: "tls-1.2" });
  expect(parse("c", "k", "tls-1.3")).toMatchObject({ minimumVersion: "tls-1.3" });
  for (const half of [() => parse("c"), () => parse(undefined, "k")]) expect(half).toThrow("tls requires both a cert and a key file to be passed in to work");
  expect(() => parse(undefined, undefined, "tls-1.3")).toThrow("--tls-minimum-version needs a certificate");
});
