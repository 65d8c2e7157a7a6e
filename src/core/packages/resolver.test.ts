import * as fc from "fast-check";
import { satisfies } from "@renovatebot/pep440";
import { describe, expect, it } from "vitest";
import { candidatesOf } from "./candidates.ts";
import { parseMetadata, type PackageMetadata } from "./metadata.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";
import { isFailure, resolve, type ResolverSource } from "./resolver.ts";

/** `{ a: { "1.0": ["b>=2"] } }`: project, version, requirements. */
type Index = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const source = (index: Index, compiled: readonly string[] = []): ResolverSource => ({
  candidates: (name) => {
    const versions = index[name];
    if (versions === undefined) return Promise.resolve(undefined);
    const files = Object.keys(versions).map((version) => {
      const tag = compiled.includes(`${name}-${version}`) ? "cp313-cp313-manylinux_2_17_x86_64" : "py3-none-any";
      return { fileName: `${name}-${version}-${tag}.whl`, url: "", sha256: undefined, requiresPython: undefined, yanked: undefined, metadata: undefined };
    });
    return Promise.resolve(candidatesOf(name, files));
  },
  metadata: ({ name, version }) => {
    const requires = index[name]?.[version] ?? [];
    return Promise.resolve(parseMetadata(`Name: ${name}\nVersion: ${version}\n${requires.map((line) => `Requires-Dist: ${line}\n`).join("")}\n`));
  },
});

const requirements = (...texts: string[]): Requirement[] => texts.map((text) => parseRequirement(text) as Requirement);

async function solve(index: Index, wanted: readonly string[], more: { constraints?: string[]; preferred?: Record<string, string>; compiled?: string[] } = {}): Promise<Record<string, string> | readonly string[]> {
  const request = { requirements: requirements(...wanted), constraints: requirements(...(more.constraints ?? [])), preferred: new Map(Object.entries(more.preferred ?? {})) };
  const outcome = await resolve(request, source(index, more.compiled));
  return isFailure(outcome) ? outcome : Object.fromEntries(outcome.map(({ candidate }) => [candidate.name, candidate.version]));
}

describe("resolve()", () => {
  it("takes the newest that fits, and what it needs", async () =>
    expect(await solve({ a: { "1.0": ["b"], "2.0": ["b<2"] }, b: { "1.5": [], "2.0": [] } }, ["a"])).toEqual({ a: "2.0", b: "1.5" }));

  it("goes back to an older version when the newest cannot be satisfied", async () =>
    expect(await solve({ a: { "1.0": ["b==1.0"], "2.0": ["b==2.0"] }, b: { "1.0": [], "2.0": ["c>=2"] }, c: { "1.0": [] } }, ["a"])).toEqual({ a: "1.0", b: "1.0" }));

  it("goes back past a choice that has nothing to do with it", async () =>
    expect(await solve({ a: { "2.0": ["x>=2"], "1.0": ["x"] }, m: { "1.0": [], "0.9": [] }, z: { "1.0": ["x<2"] }, x: { "1.0": [], "2.0": [] } }, ["a", "m", "z"])).toEqual({ a: "1.0", m: "1.0", z: "1.0", x: "1.0" }));

  it("adds what an extra needs, also when it is asked for late", async () => {
    const index = { a: { "1.0": ["c; extra == 'fast'", "d"] }, b: { "1.0": ["a[fast]"] }, c: { "1.0": [] }, d: { "1.0": [] } };
    expect(await solve(index, ["a"])).toEqual({ a: "1.0", d: "1.0" });
    expect(await solve(index, ["a[Fast]"])).toEqual({ a: "1.0", c: "1.0", d: "1.0" });
    expect(await solve(index, ["a", "b"])).toEqual({ a: "1.0", b: "1.0", c: "1.0", d: "1.0" });
  });

  it("copes with packages that need each other", async () => expect(await solve({ a: { "1.0": ["b"] }, b: { "1.0": ["a"] } }, ["a"])).toEqual({ a: "1.0", b: "1.0" }));

  it("leaves out what the guest does not need", async () => expect(await solve({ a: { "1.0": ["pywin32; sys_platform == 'win32'"] } }, ["a"])).toEqual({ a: "1.0" }));

  it("keeps what is installed where it fits, and bounds by constraints without installing them", async () => {
    const index = { a: { "1.0": [], "2.0": [] }, b: { "1.0": [] } };
    expect(await solve(index, ["a"], { preferred: { a: "1.0" } })).toEqual({ a: "1.0" });
    expect(await solve(index, ["a>1"], { preferred: { a: "1.0" } })).toEqual({ a: "2.0" });
    expect(await solve(index, ["a"], { constraints: ["a<2", "b==7"] })).toEqual({ a: "1.0" });
  });

  it.each([
    [["nope"], ["The package nope is not in the index"]],
    [["a"], ["b 1.0 cannot run in a plugin: only compiled wheels, such as cp313-cp313-manylinux_2_17_x86_64 (a needs it)"]],
    [["c", "d==2.0"], ["No version of d fits everyone: you ask for d==2.0; c 1.0 needs d<2"]],
    [["d>5"], ["No version of d fits everyone: you ask for d>5"]],
  ])("explains why %j cannot be had", async (wanted, sentences) => {
    const index = { a: { "1.0": ["b"] }, b: { "1.0": [] }, c: { "1.0": ["d<2"] }, d: { "1.0": [], "2.0": [] } };
    expect(await solve(index, wanted, { compiled: ["b-1.0"] })).toEqual(sentences);
  });

  it("gives up after its steps, and says so", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
    const versions = Array.from({ length: 12 }, (_, index) => `${index + 1}.0`);
    const index: Record<string, Record<string, string[]>> = { never: {} };
    // Everyone needs another version of the next one than it has: no choice is better than another.
    for (const [at, name] of names.entries()) index[name] = Object.fromEntries(versions.map((version) => [version, names.slice(at + 1).map((other) => `${other}!=${version}`).concat("end")]));
    index["end"] = Object.fromEntries(versions.map((version) => [version, ["never"]]));
    const outcome = await solve(index, names);
    expect(Array.isArray(outcome)).toBe(true);
  }, 30_000);

  it("finds a solution exactly where trying everything finds one", async () => {
    const names = ["a", "b", "c", "d"];
    const spec = fc.tuple(fc.constantFrom(...names), fc.constantFrom("", ">=2", "<2", "==1", "==2", "!=3", ">2")).map(([name, specifier]) => `${name}${specifier}`);
    const project = fc.dictionary(fc.constantFrom("1", "2", "3"), fc.array(spec, { maxLength: 2 }), { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(fc.record({ a: project, b: project, c: project, d: project }), fc.array(spec, { minLength: 1, maxLength: 3 }), async (index, wanted) => {
        const outcome = await solve(index, wanted);
        const found = Array.isArray(outcome) ? undefined : (outcome as Record<string, string>);
        expect(found !== undefined).toBe(existsSolution(index, wanted));
        if (found !== undefined) expect(isValid(index, wanted, found)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

const fits = (text: string, chosen: Readonly<Record<string, string>>): boolean => {
  const { name, specifiers } = parseRequirement(text) as Requirement;
  const version = chosen[name];
  return version !== undefined && (specifiers === "" || satisfies(version, specifiers));
};

const isValid = (index: Index, wanted: readonly string[], chosen: Readonly<Record<string, string>>): boolean =>
  wanted.every((text) => fits(text, chosen)) && Object.entries(chosen).every(([name, version]) => (index[name]?.[version] ?? ["missing"]).every((text) => fits(text, chosen)));

/** Every assignment of a version or nothing to each project. */
function existsSolution(index: Index, wanted: readonly string[]): boolean {
  const names = Object.keys(index);
  const assign = (at: number, chosen: Record<string, string>): boolean => {
    const name = names[at];
    if (name === undefined) return isValid(index, wanted, chosen);
    if (assign(at + 1, chosen)) return true;
    return Object.keys(index[name] ?? {}).some((version) => assign(at + 1, { ...chosen, [name]: version }));
  };
  return assign(0, {});
}

describe("parseMetadata()", () => {
  it("reads the head and leaves the description alone", () => {
    const text = "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.2\nRequires-Python: >=3.8\nProvides-Extra: Dev_Tools\nRequires-Dist: a>=1\nRequires-Dist: b ; extra == 'dev-tools'\nSummary: one\n two\n\nRequires-Dist: not-me\n";
    expect(parseMetadata(text)).toMatchObject({ name: "foo-bar", version: "1.2", requiresPython: ">=3.8", extras: ["dev-tools"] } satisfies Partial<PackageMetadata>);
    expect((parseMetadata(text) as PackageMetadata).requirements.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("refuses what it cannot read, instead of leaving it out", () => {
    expect(parseMetadata("Version: 1")).toBe("it has no name or no version");
    expect(parseMetadata("Name: x\nVersion: 1\nRequires-Dist: y @ file:///y")).toContain('its requirement "y @ file:///y" cannot be read');
  });
});
