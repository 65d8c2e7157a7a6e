/** What a plugin asks of TLS, as it hands it over: `TlsSettings` in JSON. */
import type { TlsSettings } from "../../ports/plugin-network.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { SETTINGS_STRUCTURE_BYTES_MAX } from "./limits.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const VERSIONS: readonly unknown[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const TEXTS = ["serverName", "trust", "certificate", "key", "passphrase", "ciphers"] as const;
const FLAGS = ["verify", "checkName", "defaultTrust"] as const;
const BOUNDS = ["versionMin", "versionMax"] as const;

/** The plugin's own text: every member is looked at. Throws `HostCallError` kind `value-error`. */
export function parseTlsSettings(json: Uint8Array): TlsSettings {
  const given = parseObject(json);
  const isText = (value: unknown): boolean => typeof value === "string";
  const optional = (name: string, isRight: (value: unknown) => boolean): [string, unknown][] => {
    const value = given[name];
    if (value === undefined || value === null) return [];
    if (!isRight(value)) throw invalidSettings(name);
    return [[name, value]];
  };
  for (const name of FLAGS) if (typeof given[name] !== "boolean") throw invalidSettings(name);
  const members = [
    ...FLAGS.map((name): [string, unknown] => [name, given[name]]),
    ...TEXTS.flatMap((name) => optional(name, isText)),
    ...BOUNDS.flatMap((name) => optional(name, (value) => VERSIONS.includes(value))),
    ...optional("alpn", (value) => Array.isArray(value) && value.every(isText)),
  ];
  return Object.fromEntries(members) as unknown as TlsSettings;
}

function parseObject(json: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    // Millions of brackets in one another keep the parser busy for a second.
    if (!isFlat(json)) throw invalidSettings("structure");
    const value: unknown = JSON.parse(decoder.decode(json));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof HostCallError) throw error;
  }
  throw new HostCallError("value-error", "TLS settings are not a JSON object");
}

/** Whether nearly all of it is in strings. */
function isFlat(json: Uint8Array): boolean {
  let outside = 0;
  for (let at = 0; at < json.length; at += 1) {
    outside += 1;
    if (outside > SETTINGS_STRUCTURE_BYTES_MAX) return false;
    if (json[at] === QUOTE) at = endOfString(json, at);
  }
  return true;
}

/** The quote that ends the string which begins at `at`, or the end of everything. */
function endOfString(json: Uint8Array, at: number): number {
  for (let end = json.indexOf(QUOTE, at + 1); end > 0; end = json.indexOf(QUOTE, end + 1)) {
    let before = end - 1;
    while (before > at && json[before] === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 1) return end;
  }
  return json.length;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const invalidSettings = (name: string): HostCallError => new HostCallError("value-error", `'${name}' of the TLS settings cannot be that`);
