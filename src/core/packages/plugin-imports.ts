/**
 * What a plugin's code imports whenever it runs: the statements at the level of its modules, in `try` and `with` blocks there, and
 * those that its entry functions begin with. Conditional imports do not count. A scanner that knows lines, strings and
 * brackets; a text that is no Python gives some answer, which costs time and no correctness.
 */

export interface ImportStatement {
  /** With dots. */
  readonly module: string;
  /** Names that `from … import` takes of it; they may be modules. */
  readonly members: readonly string[];
}

interface Found extends ImportStatement {
  /** Leading dots. */
  readonly level: number;
}

const ENTRY = /^def\s+process_(?:writes|scheduled_call|request)\s*\(/;

interface Block {
  readonly indent: number;
  /** Its statements always run; `leading`: those before anything that could leave the function do. */
  readonly runs: "always" | "leading" | "maybe";
  left: boolean;
}

/** Every statement that counts, relative ones too. */
function statementsOf(source: string): readonly Found[] {
  const found: Found[] = [];
  const blocks: Block[] = [];
  for (const { indent, text } of logicalLines(source)) {
    while (blocks.length > 0 && indent <= (blocks.at(-1) as Block).indent) blocks.pop();
    const inline = /^(?:try|finally)\s*:\s*(\S.*)$/.exec(text);
    const statements = (inline?.[1] ?? text).split(";").map((statement) => statement.trim());
    for (const statement of statements) {
      const imports = importsIn(statement);
      if (blocks.every(({ runs, left }) => runs === "always" || (runs === "leading" && !left))) found.push(...imports);
      if (imports.length === 0 && !/^(?:""|try\s*:)?$/.test(statement)) for (const block of blocks) block.left = true;
    }
    if (inline === null && text.endsWith(":")) blocks.push({ indent, runs: runsOf(text, blocks.length), left: false });
  }
  return found;
}

function runsOf(header: string, depth: number): Block["runs"] {
  if (/^(?:try|finally|with\b.*)\s*:$/.test(header)) return "always";
  return depth === 0 && ENTRY.test(header) ? "leading" : "maybe";
}

function importsIn(statement: string): readonly Found[] {
  const names = (list: string): string[] => list.replaceAll(/[()]/g, " ").split(",").flatMap((part) => /^\s*([\w.]+)(?:\s+as\s+\w+)?\s*$/.exec(part)?.[1] ?? []);
  const from = /^from(?:\s*(\.+)\s*|\s+)([\w.]*)\s*import\b(.*)$/s.exec(statement);
  if (from !== null) return [{ level: from[1]?.length ?? 0, module: from[2] ?? "", members: names(from[3] ?? "") }];
  const plain = /^import\s+(.*)$/s.exec(statement);
  return plain === null ? [] : names(plain[1] as string).map((module) => ({ level: 0, module, members: [] }));
}

/** Lines as Python joins them, without comments; strings are empty. */
function* logicalLines(source: string): Generator<{ readonly indent: number; readonly text: string }> {
  let text = "";
  let depth = 0;
  for (let at = 0; at <= source.length; ) {
    const character = source[at];
    if (character === undefined || (character === "\n" && depth === 0)) {
      const trimmed = text.trim();
      if (trimmed !== "") yield { indent: indentOf(text), text: trimmed };
      text = "";
      at += 1;
    } else if (character === "#") {
      while (at < source.length && source[at] !== "\n") at += 1;
    } else if (character === '"' || character === "'") {
      at = endOfString(source, at);
      text = `${text.replace(/[rbuf]{1,2}$/i, "")}""`;
    } else if (character === "\\" && /^\r?\n/.test(source.slice(at + 1, at + 3))) {
      at = source.indexOf("\n", at) + 1;
      text += " ";
    } else {
      if ("([{".includes(character)) depth += 1;
      else if (")]}".includes(character)) depth = Math.max(0, depth - 1);
      text += character === "\n" ? " " : character;
      at += 1;
    }
  }
}

function indentOf(line: string): number {
  let indent = 0;
  for (const character of line) {
    if (character === " ") indent += 1;
    else if (character === "\t") indent += 8 - (indent % 8);
    else break;
  }
  return indent;
}

/** Behind the string that begins here; one that never ends goes to the end of the line, or of the text. */
function endOfString(source: string, start: number): number {
  const quote = source[start] as string;
  const isLong = source.startsWith(quote.repeat(3), start);
  const end = isLong ? quote.repeat(3) : quote;
  for (let at = start + end.length; at < source.length; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (source.startsWith(end, at)) return at + end.length;
    else if (!isLong && source[at] === "\n") return at;
  }
  return source.length;
}

export interface ScannedPlugin {
  readonly source: string | undefined;
  readonly module: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Of a single file, or of a package's `__init__.py` and of its own modules that this imports; relative imports are followed. */
export function pluginImports({ source, module, files }: ScannedPlugin): readonly ImportStatement[] {
  const outside: ImportStatement[] = [];
  const queue = source === undefined ? [`${module}/__init__.py`] : [];
  const seen = new Set<string>();
  const follow = (path: string, statements: readonly Found[]): void => {
    for (const { level, module: name, members } of statements) {
      const isOwn = level > 0 || name === module || name.startsWith(`${module}.`);
      if (isOwn && path !== "") queue.push(...ownFiles(path, { level, module: name, members }));
      else if (level === 0 && name !== "") outside.push({ module: name, members });
    }
  };
  if (source !== undefined) follow("", statementsOf(source));
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const content = seen.has(path) ? undefined : files.get(path);
    seen.add(path);
    if (content !== undefined) follow(path, statementsOf(new TextDecoder().decode(content)));
  }
  return merged(outside);
}

/** Files that an import of the package's own may mean. */
function ownFiles(path: string, { level, module, members }: Found): readonly string[] {
  const folder = path.split("/").slice(0, -1);
  const base = level === 0 ? [] : folder.slice(0, folder.length - (level - 1));
  const target = [...base, ...module.split(".").filter((part) => part !== "")].join("/");
  return [target, ...members.map((member) => `${target}/${member}`)].flatMap((stem) => [`${stem}.py`, `${stem}/__init__.py`]);
}

/** One entry a module, sorted. */
function merged(statements: readonly ImportStatement[]): readonly ImportStatement[] {
  const members = new Map<string, Set<string>>();
  for (const statement of statements) {
    const known = members.get(statement.module) ?? new Set();
    for (const member of statement.members) known.add(member);
    members.set(statement.module, known);
  }
  return [...members].sort(([left], [right]) => (left < right ? -1 : 1)).map(([module, names]) => ({ module, members: [...names].sort() }));
}
