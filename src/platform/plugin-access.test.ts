// Goal: every address that leads to a listener of this server is known as its own, and nobody else's is.
import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import type { ServeConfig } from "../core/config/serve-config.ts";
import { pluginAccess } from "./plugin-access.ts";

const access = (host: string, recovery?: string): ReturnType<typeof pluginAccess> => {
  const made = pluginAccess({ tokenRecoveryBind: recovery === undefined ? undefined : { host: recovery, port: 8182 } } as ServeConfig, { env: () => undefined });
  made.listensAt({ host, port: 8181 });
  return made;
};
const outward = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address);

test.each([
  ["127.0.0.1", "127.0.0.1", true], ["127.0.0.1", "127.9.9.9", true], ["127.0.0.1", "0.0.0.0", true], ["127.0.0.1", "::", true], ["127.0.0.1", "localhost", true], ["127.0.0.1", "10.9.8.7", false],
  ["0.0.0.0", "127.0.0.1", true], ["0.0.0.0", "0.0.0.0", true], ["::", "::1", true], ["0.0.0.0", "203.0.113.7", false], ["db.lan", "127.0.0.1", true], ["db.lan", "db.lan", true], ["db.lan", "203.0.113.7", false],
  ["203.0.113.7", "203.0.113.7", true], ["203.0.113.7", "127.0.0.1", false],
])("listening at %s, %s is its own: %s", (host, target, expected) => {
  expect(access(host).isSelf(target, 8181)).toBe(expected);
  expect(access(host).isSelf(target, 8180)).toBe(false);
});

test("listening everywhere, the addresses of the machine are its own", () => {
  for (const address of outward) expect([address, access("0.0.0.0").isSelf(address, 8181)]).toEqual([address, true]);
});

test("where a lost token is replaced is closed, by whichever of its addresses", () => {
  for (const address of ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1"]) expect([address, access("0.0.0.0", "127.0.0.1").isClosed(address, 8182)]).toEqual([address, true]);
  expect(access("0.0.0.0", "127.0.0.1").isClosed("127.0.0.1", 8181)).toBe(false);
  expect(access("0.0.0.0", "127.0.0.1").isClosed("203.0.113.7", 8182)).toBe(false);
  expect(access("0.0.0.0").isClosed("127.0.0.1", 8182)).toBe(false);
});
