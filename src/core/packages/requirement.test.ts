import { describe, expect, it } from "vitest";
import { evaluateMarker, parseMarker, type Marker } from "./marker.ts";
import { normalizeName, parseWheelName, runsInGuest } from "./name.ts";
import { applies, parseRequirement, type Requirement, requirementText } from "./requirement.ts";

const parse = (text: string): Requirement => parseRequirement(text) as Requirement;

describe("parseRequirement() (PEP 508)", () => {
  it.each([
    ["requests", "requests"],
    ["Requests [Security,socks] >= 2.8.1, == 2.8.*", "requests[security,socks]>=2.8.1,==2.8.*"],
    ["name (>=2,<3)", "name>=2,<3"],
    ["zope.interface_x", "zope-interface-x"],
    ["A", "a"],
    ["name[]", "name"],
    ["name===1.0-weird", "name===1.0-weird"],
  ])("reads %j", (text, canonical) => expect(requirementText(parse(text))).toBe(canonical));

  it.each([
    ["", "it does not begin with a package name"],
    ["-x", "it does not begin with a package name"],
    ["name @ https://example.com/x.whl", "packages from URLs and folders are not supported"],
    ["name>1,,", "is no version specifier"],
    ["name>=1; nonsense == '1'", 'its marker is broken: "nonsense" is no marker variable'],
    ["name; python_version", "its marker is broken: it ends too early"],
    ["name; python_version ~ '3'", "its marker is broken"],
    ["name; (python_version > '3'", "its marker is broken: a parenthesis is not closed"],
    ["name[a b]", '"a b" is no name of an extra'],
    [`name${" ".repeat(5_000)}`, "it is too long"],
  ])("refuses %j", (text, problem) => expect(parseRequirement(text)).toContain(problem));
});

describe("markers, for CPython 3.13 on WASI", () => {
  it.each([
    ['python_version >= "3.8"', true],
    ['python_version < "3.9"', false],
    ['python_version in "2.7 3.13"', true],
    ['sys_platform == "win32"', false],
    ["sys_platform != 'win32' and os_name == 'posix'", true],
    ['platform_system == "Windows" or python_version > "3.10"', true],
    ['(python_version < "3" or python_version > "3.5") and implementation_name == "cpython"', true],
    ['python_full_version < "3.13.1"', false],
    ['"linux" in sys_platform', false],
    ['"linux" not in sys_platform', true],
    ["os.name == 'posix'", true],
    ['extra == "test"', false],
    // PEP 508: a version is compared as a version, so 3.13 is newer than 3.9.
    ['"3.9" < python_version', true],
  ])("%s is %s", (text, expected) => expect(evaluateMarker(parseMarker(text) as Marker, [])).toBe(expected));

  it("an extra holds for those that are asked for", () => {
    const requirement = parse('x; extra == "test" and python_version > "3"');
    expect([applies(requirement, []), applies(requirement, ["docs"]), applies(requirement, ["docs", "test"])]).toEqual([false, false, true]);
  });

  it("bounds nesting", () => expect(parseMarker(`${"(".repeat(100)}python_version > "3"${")".repeat(100)}`)).toBe("it is nested too deeply"));
});

describe("names (PEP 503, PEP 427)", () => {
  it("are the same whatever stands between their parts", () => expect(["Friendly-Bard", "FRIENDLY__bard", "friendly.-_bard"].map(normalizeName)).toEqual(["friendly-bard", "friendly-bard", "friendly-bard"]));

  it.each([
    ["six-1.16.0-py2.py3-none-any.whl", true],
    ["x-1.0-py3-none-any.whl", true],
    ["x-1.0-1build-py3-none-any.whl", true],
    ["x-1.0-cp313-none-any.whl", true],
    ["numpy-2.1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", false],
    ["x-1.0-py2-none-any.whl", false],
    ["x-1.0-py3-none-win_amd64.whl", false],
    ["x-1.0-cp39-abi3-any.whl", false],
  ])("%s runs in the guest: %s", (file, runs) => expect(runsInGuest(parseWheelName(file) as NonNullable<ReturnType<typeof parseWheelName>>)).toBe(runs));

  it.each(["x.whl", "x-1.0-py3-none.whl", "x-notaversion-py3-none-any.whl", "x-1.0.tar.gz", "../x-1.0-py3-none-any.whl"])("%s is no wheel's name", (file) => expect(parseWheelName(file)).toBeUndefined());
});
