/** Names of projects and of wheel files (PEP 503, PEP 427). */
import { valid } from "@renovatebot/pep440";

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

export const isProjectName = (text: string): boolean => text.length <= 200 && NAME.test(text);

/** `Flask_SQLAlchemy` and `flask-sqlalchemy` are one project. */
export const normalizeName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

export interface WheelName {
  /** Normalized. */
  readonly project: string;
  readonly version: string;
  readonly pythonTags: readonly string[];
  readonly abiTags: readonly string[];
  readonly platformTags: readonly string[];
}

/** Undefined when the file is no wheel or has a broken name. */
export function parseWheelName(fileName: string): WheelName | undefined {
  if (!fileName.endsWith(".whl")) return undefined;
  const parts = fileName.slice(0, -4).split("-");
  if (parts.length !== 5 && parts.length !== 6) return undefined;
  const [project, version] = parts as [string, string];
  const [python, abi, platform] = parts.slice(-3) as [string, string, string];
  const clean = version.replaceAll("_", "-");
  if (!isProjectName(project) || valid(clean) === null) return undefined;
  return { project: normalizeName(project), version: clean, pythonTags: python.split("."), abiTags: abi.split("."), platformTags: platform.split(".") };
}

/** The guest runs pure Python only: its interpreter is one static module that loads no compiled extensions. */
export function runsInGuest({ pythonTags, abiTags, platformTags }: WheelName): boolean {
  return pythonTags.some((tag) => PURE_PYTHON_TAGS.has(tag)) && abiTags.includes("none") && platformTags.includes("any");
}

const PURE_PYTHON_TAGS: ReadonlySet<string> = new Set(["py3", ...Array.from({ length: 14 }, (_, minor) => `py3${minor}`), "cp313"]);
