// Goal: whatever a plugin hands over as settings of TLS gives settings or a refusal, and at once. Method: random JSON and random
// bytes; the settings of Python's `ssl` with random texts; structure a million deep.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { parseTlsSettings } from "./tls-settings.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const flags = { verify: true, checkName: false, defaultTrust: true };

/** What came of it, if it is what may come of it. */
function outcome(json: Uint8Array): object | string {
  try {
    return parseTlsSettings(json);
  } catch (error) {
    if (error instanceof HostCallError && error.kind === "value-error") return error.message;
    throw error;
  }
}

const NAMES = ["verify", "checkName", "defaultTrust", "serverName", "trust", "certificate", "key", "passphrase", "ciphers", "alpn", "versionMin", "versionMax"];

describe("settings of TLS", () => {
  it("are refused where they are none", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (json) => void expect(typeof outcome(json)).toBe("string")));
    fc.assert(fc.property(fc.json(), (json) => void outcome(bytes(json))));
  });

  it("have the types that they say, whatever is given", () => {
    const value = fc.oneof(fc.boolean(), fc.string(), fc.array(fc.oneof(fc.string(), fc.integer())), fc.constant(null), fc.double(), fc.constantFrom("TLSv1.2", "TLSv1.3"), fc.dictionary(fc.string(), fc.string()));
    const given = fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.constantFrom("__proto__", "constructor", "x")), value).map((members) => ({ ...flags, ...members }));
    fc.assert(
      fc.property(given, (settings) => {
        const parsed = outcome(bytes(JSON.stringify(settings)));
        if (typeof parsed === "string") return;
        expect(Object.keys(parsed).filter((name) => !NAMES.includes(name))).toEqual([]);
        for (const [name, each] of Object.entries(parsed)) expect(typeof each).toBe(name in flags ? "boolean" : name === "alpn" ? "object" : "string");
      }),
    );
  });

  it("carry every text", () => {
    const text = fc.string({ unit: fc.constantFrom("\\", '"', "a", "\n", "é", "\u0000", "{", "[") });
    fc.assert(fc.property(text, text, (trust, key) => void expect(outcome(bytes(JSON.stringify({ ...flags, trust, key })))).toEqual({ ...flags, trust, key })));
  });

  it.each(["[".repeat(1_000_000), `{"a":${"[".repeat(1_000_000)}`, `{"a":"\\\\",${'"b":{'.repeat(100_000)}`, `${JSON.stringify(flags).slice(0, -1)},"alpn":[${"1,".repeat(100_000)}1]}`])("that are nested or many are not read: %.20s", (text) => {
    expect(outcome(bytes(text))).toBe("'structure' of the TLS settings cannot be that");
  });
});
