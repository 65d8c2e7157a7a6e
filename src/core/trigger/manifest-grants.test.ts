import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDatabaseError } from "../errors/database-error.ts";
import { manifestGrants } from "./manifest-grants.ts";

describe("grants of a manifest", () => {
  test("are read from their table only", () => {
    const text = `
# [grants]
manifest_schema_version = "1.0"
[plugin]
name = "x"
description = """
[grants]
net = ["fake"]
"""
tags = [ "a", # ]
  "b" ]
table = { net = "[grants]" }
[grants] # what it needs
net = [
  "api.example.org:443", # the service
  'self',
]
env = "API_KEY, REGION"
scratch = "16mb"
sys = ["cpu"]
[dependencies]
database_version = ">=3.0"
db = ["not a grant"]
`;
    expect(manifestGrants(text)).toEqual({ net: ["api.example.org:443", "self"], env: ["API_KEY", "REGION"], scratch: 16_777_216, sys: ["cpu"] });
  });

  test("of a manifest without the table are none", () => {
    expect(manifestGrants('[plugin]\nname = "x"\n')).toEqual({});
    expect(manifestGrants("")).toEqual({});
  });

  test.each(["net = [1]", "net = true", "net = [\"a\"", "files = [\"/etc\"]", "scratch = 1.5", "net = {}"])("%s is refused", (line) => {
    expect(() => manifestGrants(`[grants]\n${line}\n`)).toThrow(/grants|grant/);
  });

  test("any text gives grants or a DatabaseError, in time", () => {
    const part = fc.constantFrom("[grants]\n", "net = ", "[", "]", '"', "'", '"""', "\n", "#", "=", "a", "{", "}", "\\", ",", " ");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        try {
          manifestGrants(parts.join(""));
        } catch (error) {
          if (!isDatabaseError(error)) throw error;
        }
      }),
    );
  });
});
