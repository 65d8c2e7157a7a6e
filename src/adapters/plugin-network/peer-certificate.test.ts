// Goal: Python code sees of a certificate what it would see anywhere else. The expected values are CPython's own,
// `ssl._ssl._test_decode_cert` on the same files (OpenSSL 3.0.19).
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeCertificate } from "./peer-certificate.ts";

const derOf = (name: string): Uint8Array => new X509Certificate(readFileSync(new URL(`../../../test/fixtures/tls/network/${name}.pem`, import.meta.url))).raw;

const AUTHORITY = [[["countryName", "DE"]], [["organizationName", "Tidemark tests"]], [["commonName", "Test authority"]]];

describe("a certificate", () => {
  it("is described as getpeercert() does", () => {
    expect(describeCertificate(derOf("server"))).toEqual({
      subject: [
        [["countryName", "DE"]], [["stateOrProvinceName", "Bayern"]], [["localityName", "München"]], [["organizationName", "Tidemark tests"]],
        [["commonName", "localhost"]], [["emailAddress", "a@localhost"]],
      ],
      issuer: AUTHORITY,
      version: 3,
      serialNumber: "F1A2B3C4D5",
      notBefore: "Jan  5 09:34:43 2024 GMT",
      notAfter: "Jan  1 00:00:00 2124 GMT",
      subjectAltName: [
        ["DNS", "localhost"], ["DNS", "*.tidemark.test"], ["IP Address", "127.0.0.1"], ["IP Address", "0:0:0:0:0:0:0:1"], ["email", "a@localhost"],
        ["URI", "https://localhost/x"], ["Registered ID", "1.2.3.4"],
      ],
      OCSP: ["http://ocsp.localhost/"],
      caIssuers: ["http://localhost/ca.cer"],
    });
  });

  it("without names for it has none", () => {
    expect(describeCertificate(derOf("ca"))).toMatchObject({ subject: AUTHORITY, issuer: AUTHORITY, version: 3 });
    expect(describeCertificate(derOf("ca"))).not.toHaveProperty("subjectAltName");
  });

  it("that is cut off or changed is described or not, and nothing else", () => {
    const der = derOf("server");
    for (let length = 0; length < der.length; length += 1) expect(describeCertificate(der.subarray(0, length))).toBeUndefined();
    for (let at = 0; at < der.length; at += 1) {
      for (const byte of [0x00, 0x30, 0x7f, 0x84, 0xff]) {
        const changed = Uint8Array.from(der);
        changed[at] = byte;
        expect(() => describeCertificate(changed)).not.toThrow();
      }
    }
  });
});
