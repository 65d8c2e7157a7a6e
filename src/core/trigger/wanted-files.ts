/**
 * Which files of the plugin folder a plugin may read beside its code: what it was granted, and what the arguments of its trigger
 * name. Plugins read their settings from files there (spec: processing-engine §24); whoever wrote the argument meant that file.
 */

/** One of them; larger ones do not exist for the plugin. */
export const SHOWN_FILE_BYTES_MAX = 16_777_216;

type NamedText = readonly [name: string, value: string];

/** Arguments that are looked at; a trigger has a dozen. */
const ARGUMENTS_MAX = 64;
const NAME_LENGTH_MAX = 255;
/** Where a plugin finds the folder; relative names are meant from there too. */
const GUEST_FOLDER = /^(?:\/plugins\/|\.\/)/;

/** Undefined: nothing beside its code. */
export function wantedFiles(granted: readonly string[], values: readonly NamedText[] | undefined): { readonly granted: readonly string[]; readonly named: readonly string[] } | undefined {
  if (granted.includes("*")) return { granted: ["*"], named: [] };
  const named = (values ?? []).slice(0, ARGUMENTS_MAX).flatMap(([, value]) => namedFile(value) ?? []);
  return granted.length === 0 && named.length === 0 ? undefined : { granted, named };
}

/** The path below the plugin folder that an argument could name; only files with an extension are looked for. */
function namedFile(value: string): string | undefined {
  const name = value.trim().replace(GUEST_FOLDER, "");
  if (name.length > NAME_LENGTH_MAX || /[\p{C}\\]/u.test(name)) return undefined;
  const parts = name.split("/");
  return parts.every((part) => part !== "" && !part.startsWith(".")) && parts.at(-1)?.includes(".") === true ? name : undefined;
}
