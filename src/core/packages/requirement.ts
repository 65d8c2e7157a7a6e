/** One requirement (PEP 508): `name[extras] specifiers ; marker`. */
import { validRange } from "@renovatebot/pep440";
import { REQUIREMENT_LENGTH_MAX } from "./limits.ts";
import { evaluateMarker, type Marker, parseMarker } from "./marker.ts";
import { isProjectName, normalizeName } from "./name.ts";

export interface Requirement {
  /** Normalized. */
  readonly name: string;
  /** Normalized, sorted. */
  readonly extras: readonly string[];
  /** Comma list; empty: every version fits. */
  readonly specifiers: string;
  readonly marker?: Marker;
}

const SHAPE = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(.*)$/s;

/** A text says what is wrong. */
export function parseRequirement(text: string): Requirement | string {
  if (text.length > REQUIREMENT_LENGTH_MAX) return "it is too long";
  const [head, marker] = splitMarker(text);
  const match = SHAPE.exec(head);
  if (match === null) return "it does not begin with a package name";
  const [, name, extras = "", rest = ""] = match as unknown as [string, string, string | undefined, string];
  if (!isProjectName(name)) return `"${name}" is no package name`;
  if (rest.trimStart().startsWith("@")) return "packages from URLs and folders are not supported; name a version of the index";
  const specifiers = rest.trim().replace(/^\((.*)\)$/s, "$1").trim();
  if (specifiers !== "" && !validRange(specifiers)) return `"${specifiers}" is no version specifier, such as ==1.2 or >=1,<2`;
  const names = extras.split(",").map((extra) => extra.trim()).filter((extra) => extra !== "");
  const bad = names.find((extra) => !isProjectName(extra));
  if (bad !== undefined) return `"${bad}" is no name of an extra`;
  const parsed = marker === undefined ? undefined : parseMarker(marker);
  if (typeof parsed === "string") return `its marker is broken: ${parsed}`;
  return { name: normalizeName(name), extras: [...new Set(names.map(normalizeName))].sort(), specifiers: specifiers.replaceAll(/\s+/g, ""), ...(parsed === undefined ? {} : { marker: parsed }) };
}

/** The first `;` outside of quotes begins the marker. */
function splitMarker(text: string): readonly [head: string, marker: string | undefined] {
  const at = text.indexOf(";");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Whether the requirement counts in the guest, when these extras of its owner are asked for. */
export const applies = ({ marker }: Requirement, extras: readonly string[]): boolean => marker === undefined || evaluateMarker(marker, extras);

export const requirementText = ({ name, extras, specifiers }: Requirement): string => `${name}${extras.length === 0 ? "" : `[${extras.join(",")}]`}${specifiers}`;
