import { expect, test } from "vitest";
import { likelyGrants } from "./likely-grants.ts";

const of = (source: string): object => likelyGrants({ source, module: "p", files: new Map() });

test.each(["import psutil", "import json, psutil as ps", "from psutil import cpu_percent", "try:\n    import psutil\nexcept ImportError:\n    psutil = None\n"])("%j needs figures of the machine", (source) => {
  expect(of(source)).toEqual({ sys: ["cpu", "memory", "disk", "network"] });
});

test.each(["import json", "import psutil_extra", "# import psutil", "'''\nimport psutil\n'''", "import requests"])("%j does not", (source) => {
  expect(of(source)).toEqual({});
});

test("a package is looked through", () => {
  const files = new Map([["p/__init__.py", "from .metrics import read"], ["p/metrics.py", "import psutil"]].map(([path, text]) => [path as string, new TextEncoder().encode(text)] as const));
  expect(likelyGrants({ source: undefined, module: "p", files })).toEqual({ sys: ["cpu", "memory", "disk", "network"] });
});
