/** `METADATA` of a wheel (core metadata): the parts that resolving needs. */
import { normalizeName } from "./name.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";

export interface PackageMetadata {
  /** Normalized. */
  readonly name: string;
  readonly version: string;
  readonly requiresPython: string | undefined;
  readonly requirements: readonly Requirement[];
  /** Normalized. */
  readonly extras: readonly string[];
}

/** A text says what is wrong. Requirements that cannot be read make the package unusable: leaving them out would break it later. */
export function parseMetadata(text: string): PackageMetadata | string {
  const headers = headersOf(text);
  const name = headers.find(([key]) => key === "name")?.[1];
  const version = headers.find(([key]) => key === "version")?.[1];
  if (name === undefined || version === undefined) return "it has no name or no version";
  const requirements: Requirement[] = [];
  for (const [key, value] of headers) {
    if (key !== "requires-dist") continue;
    const requirement = parseRequirement(value);
    if (typeof requirement === "string") return `its requirement "${value}" cannot be read: ${requirement}`;
    requirements.push(requirement);
  }
  return {
    name: normalizeName(name), version, requiresPython: headers.find(([key]) => key === "requires-python")?.[1], requirements,
    extras: headers.filter(([key]) => key === "provides-extra").map(([, value]) => normalizeName(value)),
  };
}

/** Header lines up to the first empty one; continuation lines begin with a blank. */
function headersOf(text: string): (readonly [key: string, value: string])[] {
  const headers: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === "") break;
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      last[1] += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(":");
    if (colon > 0) headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
  }
  return headers;
}
