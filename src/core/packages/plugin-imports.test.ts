// Goal: exactly the imports that Python makes whenever such a plugin runs. Expected values: what CPython's own semantics say of
// each text (reference manual, §7.11 and §2.1).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pluginImports } from "./plugin-imports.ts";

const of = (source: string): string[] => pluginImports({ source, module: "m", files: new Map() }).map(({ module, members }) => (members.length === 0 ? module : `${module}:${members.join(",")}`));

describe("imports of a single file", () => {
  it.each([
    ["import requests", ["requests"]],
    ["import a.b as c, d\nfrom e.f import g as h, i", ["a.b", "d", "e.f:g,i"]],
    ["from a import (\n    b,  # one\n    c,\n)\n", ["a:b,c"]],
    ["import a; import b\nx = 1; import c", ["a", "b", "c"]],
    ["import a, \\\n  b\r\nimport c\r\n", ["a", "b", "c"]],
    ['"""\nimport doc\n"""\nimport a # import comment\ntext = \'\'\'\nimport text\n\'\'\'\ny = "import z"\n', ["a"]],
    ["try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\nfinally:\n    import d\nimport e", ["a", "d", "e"]],
    ["try: import a\nexcept ImportError: import b", ["a"]],
    ["if TYPE_CHECKING:\n    import a\nfor x in y:\n  import b\nwhile z:\n\timport c\n", []],
    ["def helper():\n    import a\nclass C:\n    import b\n", []],
    ['def process_writes(l, b,\n      args=None):\n    """Text."""\n    import a\n    try:\n        from b import c\n    except ImportError:\n        import d\n    import e\n', ["a", "b:c"]],
    ["def process_request(l):\n    import a\n    if x: return\n    import b\ndef process_scheduled_call(l):\n    from c import *\n", ["a", "c"]],
    ["with suppress(ImportError):\n    import a\n", ["a"]],
    ["import_a = 1\nimportx\nfromage import x\nprint('import b')\nraise ImportError('import c')\n", []],
    ["from . import a\nfrom .b import c\n", []],
    ["x = [\nimport a\n]\nimport b", ["b"]],
  ])("%j", (source, expected) => expect(of(source)).toEqual(expected));

  it("any text has some answer, in time", () => {
    const part = fc.constantFrom("import ", "from ", "a.b", ".", "(", ")", '"""', "'", '"', "\\", "\n", "    ", "\t", "try:", "def process_writes(a):", ":", ";", ",", "#", " as ", "*", "f'", "{");
    fc.assert(fc.property(fc.array(part, { maxLength: 60 }), (parts) => { expect(of(parts.join("")).every((name) => name !== "")).toBe(true); }));
  });
});

it("a package's own modules are followed from its __init__.py, others are not", () => {
  const files = Object.entries({
    "p/__init__.py": "from . import one\nfrom .sub import x\nimport p.direct\n",
    "p/one.py": "import a\nfrom .two import y\n",
    "p/two.py": "import b\n",
    "p/direct.py": "from .. import nothing\nimport c\n",
    "p/sub/__init__.py": "from ..deep import z\n",
    "p/sub/x.py": "import d\n",
    "p/deep.py": "import e\n",
    "p/tests.py": "import pytest\n",
  }).map(([path, text]) => [path, new TextEncoder().encode(text)] as const);
  expect(pluginImports({ source: undefined, module: "p", files: new Map(files) }).map(({ module }) => module)).toEqual(["a", "b", "c", "d", "e"]);
});
