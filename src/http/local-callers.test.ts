import { describe, expect, it } from "vitest";
import { strangerRefusal } from "./local-callers.ts";

const judge = (headers: Record<string, string>, localCallersOnly = true): string | undefined =>
  strangerRefusal({ localCallersOnly }, (name) => headers[name])?.message;

describe("strangerRefusal()", () => {
  it.each(["localhost", "localhost:8181", "LocalHost:8181", "127.0.0.1:8181", "127.1.2.3", "[::1]:8181", "[::1]", ""])("lets the host %j through", (host) => {
    expect(judge({ host })).toBeUndefined();
  });

  it.each(["evil.example", "evil.example:8181", "127.0.0.1.evil.example", "localhost.evil.example:8181", "192.168.1.5:8181", "[::2]:8181", "a b", "localhost:80:80"])(
    "refuses the host %j",
    (host) => {
      expect(judge({ host })).toContain(`The host name "${host}" is not this machine's own`);
    },
  );

  it.each(["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"])("lets pages of %s through", (origin) => {
    expect(judge({ host: "127.0.0.1:8181", origin })).toBeUndefined();
  });

  it.each(["https://evil.example", "http://localhost.evil.example", "null", "", "file://", "http://localhost@evil.example", "http://evil.example:80"])(
    "refuses pages of %j",
    (origin) => {
      expect(judge({ host: "127.0.0.1:8181", origin })).toContain("may not use this server");
    },
  );

  it("refuses what another site embeds, and takes what the user typed", () => {
    const host = "localhost:8181";
    expect(judge({ host, "sec-fetch-site": "cross-site" })).toContain("other sites");
    for (const site of ["none", "same-origin", "same-site"]) expect(judge({ host, "sec-fetch-site": site })).toBeUndefined();
  });

  it("takes callers that are no browsers, and everyone when told so", () => {
    expect(judge({})).toBeUndefined();
    expect(judge({ host: "evil.example", origin: "https://evil.example" }, false)).toBeUndefined();
  });
});
