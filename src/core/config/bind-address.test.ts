import { describe, expect, it } from "vitest";
import { formatBindAddress, isLoopback, parseBindAddress } from "./bind-address.ts";

describe("parseBindAddress() (spec: cli §3.1)", () => {
  it.each([
    ["0.0.0.0:8181", { host: "0.0.0.0", port: 8181 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:8181", { host: "::1", port: 8181 }],
  ])("reads %s", (text, address) => {
    expect(parseBindAddress(text)).toEqual(address);
    expect(formatBindAddress(address)).toBe(text);
  });

  it.each(["", "8181", ":8181", "127.0.0.1", "127.0.0.1:99999", "http://x:1", "::1:8181"])("refuses %j", (text) =>
    expect(parseBindAddress(text)).toBeUndefined(),
  );
});

describe("isLoopback()", () => {
  it.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("knows %s", (host) => expect(isLoopback(host)).toBe(true));
  it.each(["0.0.0.0", "::", "192.168.1.2", "127.evil.example", "128.0.0.1"])("refuses %s", (host) =>
    expect(isLoopback(host)).toBe(false),
  );
});
