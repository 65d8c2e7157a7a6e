/** Chrono format strings (DataFusion's): to strptime formats for reading, to engine text for writing. */
import { stringSql } from "./bound.ts";
import { engineTimestamp, floorMod, timestampText } from "./emit-time.ts";
import { planError, type TextPosition } from "./sql-error.ts";

/** `%`, a padding flag, then a specifier. */
const SPECIFIER = /%([-_0]?)(:{0,3}z|\.[369]?f|[369]f|[a-zA-Z%+])/gu;
/** Specifiers made of others. */
const COMPOSED: Readonly<Record<string, string>> = {
  F: "%Y-%m-%d", T: "%H:%M:%S", X: "%H:%M:%S", R: "%H:%M", D: "%m/%d/%y", x: "%m/%d/%y", v: "%e-%b-%Y", r: "%I:%M:%S %p", c: "%a %b %e %H:%M:%S %Y", "+": "%Y-%m-%dT%H:%M:%S%.f%:z", h: "%b",
};

function expand(format: string): string {
  return format.replace(SPECIFIER, (whole, flag: string, specifier: string) => (flag === "" ? (COMPOSED[specifier] ?? whole) : whole));
}

const unsupported = (whole: string, position: TextPosition): Error => planError(`Unsupported format specifier ${whole}`, { position });

/** Specifiers that strptime reads the same way. */
const READ: Readonly<Record<string, string>> = {
  Y: "%Y", y: "%y", m: "%m", b: "%b", B: "%B", d: "%d", e: "%d", a: "%a", A: "%A", j: "%j", H: "%H", k: "%H", I: "%I", l: "%I", p: "%p", P: "%p", M: "%M", S: "%S",
  f: "%n", "3f": "%g", "6f": "%f", "9f": "%n", z: "%z", ":z": "%z", "%": "%%",
};

/** Formats for strptime; `%.f` may be absent in the text, so a format with one becomes two. Throws `query.invalid` for a specifier it cannot read. */
export function readingFormats(format: string, position: TextPosition): readonly string[] {
  const whole = expand(format);
  const variants = /%\.[369]?f/.test(whole) ? [whole, whole.replace(/%\.[369]?f/g, "")] : [whole];
  return variants.map((variant) =>
    variant.replace(SPECIFIER, (text, _flag: string, specifier: string) => {
      if (specifier.startsWith(".")) return ".%n";
      const read = READ[specifier];
      if (read === undefined) throw unsupported(text, position);
      return read;
    }),
  );
}

/** Specifiers that strftime writes the same way. */
const WRITTEN = new Set([..."YymbBdaAwuUWjHIMSp"]);
/** What those that differ print; given the wall clock and the instant, both in nanoseconds. */
const PRINTED: Readonly<Record<string, (wall: string, instant: string) => string>> = {
  C: (wall) => `lpad(CAST(year(${engineTimestamp(wall)}) // 100 AS VARCHAR), 2, '0')`,
  e: (wall) => spaced(wall, "%-d"), k: (wall) => spaced(wall, "%-H"), l: (wall) => spaced(wall, "%-I"),
  G: (wall) => `CAST(isoyear(${engineTimestamp(wall)}) AS VARCHAR)`,
  g: (wall) => `lpad(CAST(isoyear(${engineTimestamp(wall)}) % 100 AS VARCHAR), 2, '0')`,
  V: (wall) => `lpad(CAST(week(${engineTimestamp(wall)}) AS VARCHAR), 2, '0')`,
  P: (wall) => `lower(strftime(${engineTimestamp(wall)}, '%p'))`,
  f: (wall) => nanos(wall, 9), "9f": (wall) => nanos(wall, 9), "6f": (wall) => nanos(wall, 6), "3f": (wall) => nanos(wall, 3),
  // The text of the time ends with the fraction, which starts after 19 characters.
  ".f": (wall) => `substr(${timestampText(wall)}, 20)`,
  ".9f": (wall) => `'.' || ${nanos(wall, 9)}`, ".6f": (wall) => `'.' || ${nanos(wall, 6)}`, ".3f": (wall) => `'.' || ${nanos(wall, 3)}`,
  s: (_wall, instant) => `CAST(((${instant}) - ${floorMod(instant, 1_000_000_000n)}) // 1000000000 AS VARCHAR)`,
  z: (wall, instant) => offset(wall, instant, ""), ":z": (wall, instant) => offset(wall, instant, ":"), Z: (wall, instant) => offset(wall, instant, ":"),
  n: () => "chr(10)", t: () => "chr(9)",
};

const spaced = (wall: string, format: string): string => `lpad(strftime(${engineTimestamp(wall)}, '${format}'), 2, ' ')`;
const nanos = (wall: string, digits: number): string => `lpad(CAST(${floorMod(wall, 1_000_000_000n)} // ${10 ** (9 - digits)} AS VARCHAR), ${digits}, '0')`;

function offset(wall: string, instant: string, colon: string): string {
  const minutes = `(((${wall}) - (${instant})) // 60000000000)`;
  const pair = (value: string): string => `lpad(CAST(${value} AS VARCHAR), 2, '0')`;
  return `CASE WHEN ${minutes} < 0 THEN '-' ELSE '+' END || ${pair(`abs(${minutes}) // 60`)} || '${colon}' || ${pair(`abs(${minutes}) % 60`)}`;
}

/** Engine text that prints a time. `wall` is what the clock shows, `instant` when. */
export function writtenText(format: string, wall: string, instant: string, position: TextPosition): string {
  const pieces: string[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain !== "") pieces.push(`strftime(${engineTimestamp(wall)}, ${stringSql(plain)})`);
    plain = "";
  };
  let at = 0;
  const whole = expand(format);
  for (const match of whole.matchAll(SPECIFIER)) {
    plain += literal(whole.slice(at, match.index), position);
    at = match.index + match[0].length;
    const [text, flag, specifier] = match as unknown as [string, string, string];
    const printed = PRINTED[specifier];
    if (specifier === "%") plain += "%%";
    else if (WRITTEN.has(specifier) && flag !== "_") plain += `%${flag === "0" ? "" : flag}${specifier}`;
    else if (WRITTEN.has(specifier) || printed !== undefined) {
      flush();
      pieces.push(printed === undefined ? spaced(wall, `%-${specifier}`) : printed(wall, instant));
    } else throw unsupported(text, position);
  }
  plain += literal(whole.slice(at), position);
  flush();
  return pieces.length === 0 ? "''" : `(${pieces.join(" || ")})`;
}

function literal(text: string, position: TextPosition): string {
  if (text.includes("%")) throw unsupported(text.slice(text.indexOf("%")), position);
  return text;
}
