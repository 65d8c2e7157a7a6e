import { describe, expect, it } from "vitest";
import { requirementText } from "./requirement.ts";
import { parseRequirementsFile, type RequirementsFile } from "./requirements-file.ts";

const H = "a".repeat(64);

describe("parseRequirementsFile()", () => {
  it("reads what pip reads: comments, joined lines, hashes, options, includes", () => {
    const file = parseRequirementsFile(`
# a comment
requests==2.32.3  # another
idna >= 3 \\
    ; python_version > "3"   # joined
certifi==2024.2.2 --hash=sha256:${H} \\
  --hash=sha256:${"b".repeat(64)}
-r more.txt
-c bounds.txt
--index-url https://index.example/simple
--extra-index-url=https://two.example/simple
-f https://wheels.example/
--no-index
--prefer-binary
`) as RequirementsFile;
    expect(file.requirements.map(({ requirement }) => requirementText(requirement))).toEqual(["requests==2.32.3", "idna>=3", "certifi==2024.2.2"]);
    expect(file.requirements[2]?.sha256).toEqual([H, "b".repeat(64)]);
    expect([file.includes, file.constraints]).toEqual([["more.txt"], ["bounds.txt"]]);
    expect(file.index).toEqual({ indexUrl: "https://index.example/simple", extraIndexUrls: ["https://two.example/simple"], findLinks: ["https://wheels.example/"], noIndex: true });
  });

  it("a # inside a word is no comment", () => expect(parseRequirementsFile("x==1#y")).toEqual([expect.stringContaining('line 1: "x==1#y" cannot be installed')]));

  it("names every problem with its line", () => {
    expect(parseRequirementsFile("ok\n-e .\n\n--unknown x\nx @ file:///x\ny --hash=md5:00\n-r")).toEqual([
      "line 2: editable installs would run code; name a version of the index",
      'line 4: the option "--unknown" is not known here',
      expect.stringContaining('line 5: "x @ file:///x" cannot be installed'),
      "line 6: only sha256 hashes are checked, and none is given",
      "line 7: -r needs a value",
    ]);
  });
});
