/** `.env` files: `NAME=value` lines, quotes, comments, `export` (spec: cli §1). */

/** Undefined when a line cannot be read. */
export function parseEnvFile(text: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$/.exec(trimmed);
    const value = match?.[2] === undefined ? undefined : unquote(match[2]);
    if (match?.[1] === undefined || value === undefined) return undefined;
    values.set(match[1], value);
  }
  return values;
}

function unquote(text: string): string | undefined {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(text);
  if (quoted?.[2] !== undefined) return quoted[1] === '"' ? quoted[2].replaceAll("\\n", "\n").replaceAll('\\"', '"') : quoted[2];
  return /^["']/.test(text) ? undefined : text.replace(/\s+#.*$/, "");
}
