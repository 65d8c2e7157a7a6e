// Goal: the rules of CONTRIBUTING.md that a program can check. Method: read the sources as text, follow every relative
// import, and compare folders with the table of who may import whom.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" }).split("\n");
const files = listed.filter((name) => name !== "" && existsSync(join(root, name)));
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const sources = files.filter((name) => /^src\/.*\.ts$/.test(name) && !name.endsWith(".d.ts"));
const production = sources.filter((name) => !name.endsWith(".test.ts") && !name.includes("/generated/"));

/** Folders of src/ and the folders that each may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  ports: ["core", "ports"],
  engine: ["core", "ports", "engine"],
  adapters: ["core", "ports"],
  http: ["core", "ports", "engine", "http"],
  cli: ["core", "cli"],
  platform: ["core", "ports", "engine", "adapters", "http", "platform"],
  testing: ["core", "ports", "engine", "testing"],
};
/** Folders that may name the platform: `node:` modules, process, timers, fetch, console. */
const PLATFORM_FOLDERS = ["adapters", "cli", "platform"];

const IMPORT = /^(?:import|export)\s[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
const folderOf = (name: string): string => name.split("/")[1] as string;

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

function importsOf(name: string): Import[] {
  return [...read(name).matchAll(IMPORT)].map((match) => {
    const target = (match[1] ?? match[2] ?? match[3]) as string;
    return {
      target: target.startsWith(".") ? normalize(join(dirname(name), target)) : target,
      typeOnly: /^(?:import|export)\s+type\b/.test(match[0]),
      dynamic: match[3] !== undefined,
    };
  });
}

describe("imports", () => {
  it("go only where the layout allows", () => {
    const broken: string[] = [];
    for (const name of production) {
      const from = folderOf(name);
      for (const { target, dynamic } of importsOf(name)) {
        if (!target.startsWith("src/")) continue;
        const to = folderOf(target);
        const ownAdapter = from === "adapters" && to === "adapters" && target.split("/")[2] === name.split("/")[2];
        const serve = from === "cli" && to === "platform" && dynamic;
        if (!ownAdapter && !serve && !MAY_IMPORT[from]?.includes(to)) broken.push(`${name} → ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it("carry .ts and name existing files", () => {
    const broken = production.flatMap((name) => importsOf(name).filter(({ target }) => target.startsWith("src/") && !files.includes(target)).map(({ target }) => `${name} → ${target}`));
    expect(broken).toEqual([]);
  });

  it("of the platform stay in adapters, cli and platform", () => {
    const broken = production.filter((name) => !PLATFORM_FOLDERS.includes(folderOf(name))).flatMap((name) => importsOf(name).filter(({ target }) => target.startsWith("node:")).map(({ target }) => `${name} → ${target}`));
    expect(broken).toEqual([]);
  });

  it("have no cycle at run time", () => {
    const edges = new Map(production.map((name) => [name, importsOf(name).filter(({ typeOnly, dynamic }) => !typeOnly && !dynamic).map(({ target }) => target)]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (name: string, path: readonly string[]): void => {
      if (state.get(name) === "done") return;
      if (state.get(name) === "open") {
        cycles.push([...path.slice(path.indexOf(name)), name].join(" → "));
        return;
      }
      state.set(name, "open");
      for (const target of edges.get(name) ?? []) if (edges.has(target)) visit(target, [...path, name]);
      state.set(name, "done");
    };
    for (const name of production) visit(name, []);
    expect(cycles).toEqual([]);
  });
});

describe("names", () => {
  const BANNED = /\b(?:Date\.now|Math\.random|process\.env|setTimeout|setInterval|console)\b|(?<![.\w])fetch\(/;

  it("of clocks, randomness, environment and network stay in adapters, cli and platform", () => {
    const broken = production
      .filter((name) => !PLATFORM_FOLDERS.includes(folderOf(name)))
      .filter((name) => read(name).split("\n").some((line) => BANNED.test(line.replace(/^\s*(?:\*|\/\/|\/\*).*/, ""))));
    expect(broken).toEqual([]);
  });

  it("`any`, `enum` and leftover notes do not appear", () => {
    const rule = /(?::|<|\bas)\s*any\b|^\s*(?:export\s+)?(?:const\s+)?enum\b|\bTODO\b|\bFIXME\b|@ts-ignore/;
    const broken = production.flatMap((name) => read(name).split("\n").flatMap((line, index) => (rule.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])));
    expect(broken).toEqual([]);
  });

  it("throw only DatabaseError and the named port errors outside tests", () => {
    const broken = production.flatMap((name) => read(name).split("\n").flatMap((line, index) => (/throw new (?:Error|TypeError|RangeError)\(/.test(line) ? [`${name}:${index + 1}`] : [])));
    expect(broken).toEqual([]);
  });
});

describe("sizes", () => {
  const LINES_MAX = 500;
  const FUNCTION_LINES_MAX = 70;

  it(`no source file is longer than ${LINES_MAX} lines`, () => {
    expect(production.filter((name) => read(name).split("\n").length > LINES_MAX)).toEqual([]);
  });

  it(`no function is longer than ${FUNCTION_LINES_MAX} lines without a reason`, () => {
    const broken = production.flatMap((name) => longFunctions(name));
    expect(broken).toEqual([]);
  });

  /** Counts from a line that opens a named function or method to the line that closes it at the same indentation. */
  function longFunctions(name: string): string[] {
    const lines = read(name).split("\n");
    const opener = /^(\s*)(?:export\s+)?(?:async\s+)?(?:function\*?\s+\w+|(?:static\s+|get\s+|set\s+)?(?:async\s+)?\*?#?\w+\s*\([^)]*\)[^;]*)\{$/;
    return lines.flatMap((line, index) => {
      const match = opener.exec(line);
      if (match === null || /^\s*(?:if|for|while|switch|catch|else|do|return)\b/.test(line)) return [];
      const close = lines.findIndex((later, at) => at > index && (later.startsWith(`${match[1]}}`)));
      const long = close - index + 1 > FUNCTION_LINES_MAX;
      const reason = lines.slice(Math.max(0, index - 6), index).some((above) => /long because/i.test(above));
      return long && !reason ? [`${name}:${index + 1} (${close - index + 1} lines)`] : [];
    });
  }
});

describe("repository", () => {
  it("README has at most 120 lines", () => expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(120));

  it("every dependency has its line of reason in CONTRIBUTING.md", () => {
    const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string> | undefined>;
    const names = Object.keys({ ...manifest["dependencies"], ...manifest["devDependencies"], ...manifest["optionalDependencies"] });
    expect(names.filter((name) => !read("CONTRIBUTING.md").includes(`\`${name}\``))).toEqual([]);
  });
});
