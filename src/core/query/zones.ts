/** Time zones: fixed offsets by arithmetic, names by the runtime's own time zone database. */
import { formatTimestamp, NS_PER_SECOND } from "./temporal.ts";

export type Zone = { readonly kind: "fixed"; readonly offsetNs: bigint } | { readonly kind: "named"; readonly name: string; readonly format: Intl.DateTimeFormat };

const OFFSET = /^([+-])(\d{1,2})(?::?(\d{2}))?$/;
const UTC: Zone = { kind: "fixed", offsetNs: 0n };
const known = new Map<string, Zone | undefined>();
/** Zones kept; each holds a formatter. */
const ZONES_MAX = 256;

/** Undefined for a text that is neither an offset nor a name the runtime knows. */
export function zoneOf(text: string): Zone | undefined {
  if (!known.has(text)) {
    if (known.size >= ZONES_MAX) known.clear();
    known.set(text, makeZone(text));
  }
  return known.get(text);
}

function makeZone(text: string): Zone | undefined {
  if (text === "UTC" || text === "Z") return UTC;
  const offset = OFFSET.exec(text);
  if (offset !== null) {
    const seconds = BigInt(offset[2] as string) * 3600n + BigInt(offset[3] ?? 0) * 60n;
    return { kind: "fixed", offsetNs: (offset[1] === "-" ? -seconds : seconds) * NS_PER_SECOND };
  }
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(text)) return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: text, hourCycle: "h23", era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    return { kind: "named", name: text, format };
  } catch {
    // The runtime knows no zone of this name; the caller says so.
    return undefined;
  }
}

/** What a clock in the zone shows ahead of UTC at an instant. */
export function offsetAt(zone: Zone, instantNs: bigint): bigint {
  if (zone.kind === "fixed") return zone.offsetNs;
  const fraction = ((instantNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = Number((instantNs - fraction) / NS_PER_SECOND);
  const parts = new Map(zone.format.formatToParts(seconds * 1000).map((part) => [part.type, part.value]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  const year = parts.get("era") === "BC" ? 1 - part("year") : part("year");
  const wall = Date.UTC(year, part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) / 1000;
  return BigInt(Math.round(wall - seconds)) * NS_PER_SECOND;
}

const DAY = 86_400n * NS_PER_SECOND;

/** The instant at which a clock in the zone shows `wallNs`; of two the later, and in a gap what the clock would have shown without it. */
export function instantOf(zone: Zone, wallNs: bigint): bigint {
  const [before, after] = [offsetAt(zone, wallNs - DAY), offsetAt(zone, wallNs + DAY)];
  const valid = [before, after].filter((offset) => offsetAt(zone, wallNs - offset) === offset).map((offset) => wallNs - offset);
  return valid.reduce((latest, instant) => (latest === undefined || instant > latest ? instant : latest), undefined as bigint | undefined) ?? wallNs - before;
}

/** `+01:00`, `-03:30`. */
export function formatOffset(offsetNs: bigint): string {
  const minutes = (offsetNs < 0n ? -offsetNs : offsetNs) / (60n * NS_PER_SECOND);
  const pad = (value: bigint): string => String(value).padStart(2, "0");
  return `${offsetNs < 0n ? "-" : "+"}${pad(minutes / 60n)}:${pad(minutes % 60n)}`;
}

/** RFC 3339 with the zone's offset; `Z` when that is zero, or when the zone is unknown. */
export function formatZoned(ns: bigint, zone: Zone | undefined): string {
  const offset = zone === undefined ? 0n : offsetAt(zone, ns);
  return formatTimestamp(ns + offset) + (offset === 0n ? "Z" : formatOffset(offset));
}
