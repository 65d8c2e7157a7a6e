/** Regular expressions (spec: query §2.3): a match anywhere in the text counts. Flags become inline ones, which both engines read alike. */
import { stringSql, type Bound } from "./bound.ts";
import { expectCount, literalText, numberArgument, textArgument, type CallSite, type ScalarFunction } from "./function-types.ts";
import { boundedText, replacedText } from "./function-bounds.ts";
import { planError } from "./sql-error.ts";
import { BOOLEAN, INT64, UTF8 } from "./types.ts";

/** The flags but `g`. */
function inlineFlags(args: readonly Bound[], index: number, site: CallSite): { readonly inline: string; readonly global: boolean } {
  if (args.length <= index) return { inline: "", global: false };
  const flags = literalText(args, index, site, "its flags");
  if (!/^[imsUg]*$/.test(flags)) throw planError(`${site.name} does not support the flags "${flags}"`, { position: site.position, hint: "i, m, s, U and g are supported" });
  return { inline: [...new Set(flags.replaceAll("g", ""))].join(""), global: flags.includes("g") };
}

function patternSql(args: readonly Bound[], index: number, inline: string, site: CallSite): string {
  if (inline === "") return textArgument(args, index, site);
  const constant = args[index]?.constant;
  return constant?.kind === "string" ? stringSql(`(?${inline})${constant.text}`) : `('(?${inline})' || ${textArgument(args, index, site)})`;
}

const regexpLike: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  return { sql: `regexp_matches(${textArgument(args, 0, site)}, ${patternSql(args, 1, inlineFlags(args, 2, site).inline, site)})`, type: BOOLEAN };
};

const regexpReplace: ScalarFunction = (args, site) => {
  expectCount(args, site, 3, 4);
  const { inline, global } = inlineFlags(args, 3, site);
  // `$1` names a group in DataFusion, `\1` in the engine.
  const replacement = `regexp_replace(${textArgument(args, 2, site)}, '\\$\\{?(\\d)\\}?', '\\\\\\1', 'g')`;
  const value = textArgument(args, 0, site);
  const call = `regexp_replace(${value}, ${patternSql(args, 1, inline, site)}, ${replacement}${global ? ", 'g'" : ""})`;
  return { sql: global ? replacedText(value, textArgument(args, 2, site), call, site) : boundedText(replacedOnce(value, args, site), call, site), type: UTF8 };
};

/** Bytes of a text with one match replaced: each group that the replacement names may be the whole text. */
function replacedOnce(value: string, args: readonly Bound[], site: CallSite): string {
  const replacement = textArgument(args, 2, site);
  const constant = args[2]?.constant;
  const groups = constant?.kind === "string" ? String((constant.text.match(/[$\\]/g) ?? []).length) : `strlen(${replacement})`;
  return `strlen(${value}) * (1 + ${groups}) + strlen(${replacement})`;
}

/** regexp_count(text, pattern[, start[, flags]]). */
const regexpCount: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 4);
  const text = textArgument(args, 0, site);
  const searched = args.length > 2 ? `substring(${text}, greatest(${numberArgument(args, 2, site, INT64)}, 1))` : text;
  return { sql: `len(regexp_extract_all(${searched}, ${patternSql(args, 1, inlineFlags(args, 3, site).inline, site)}))`, type: INT64 };
};

/** Groups of the first match, or the whole match when there is no group; NULL without a match. */
const regexpMatch: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  const { inline } = inlineFlags(args, 2, site);
  const written = literalText(args, 1, site, "its pattern");
  const pattern = stringSql(inline === "" ? written : `(?${inline})${written}`);
  const groups = (written.replace(/\\./g, "").match(/\((?!\?)|\(\?P?</g) ?? []).length;
  const value = textArgument(args, 0, site);
  const picked = Array.from({ length: Math.max(1, groups) }, (_, index) => `regexp_extract(${value}, ${pattern}, ${groups === 0 ? 0 : index + 1})`);
  return { sql: `CASE WHEN regexp_matches(${value}, ${pattern}) THEN [${picked.join(", ")}] END`, type: { kind: "list", element: UTF8 } };
};

/** substr_index(text, delimiter, n): what stands before the nth delimiter, or after it counted from the end. */
const substringIndex: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  const [value, delimiter] = [textArgument(args, 0, site), textArgument(args, 1, site)];
  const count = numberArgument(args, 2, site, INT64);
  const joined = (slice: string): string => `array_to_string(string_split(${value}, ${delimiter})[${slice}], ${delimiter})`;
  const sql = `CASE WHEN ${count} > 0 THEN ${joined(`:${count}`)} WHEN ${count} < 0 THEN ${joined(`${count}:`)} ELSE '' END`;
  return { sql, type: UTF8 };
};

/** overlay(text PLACING other FROM start [FOR count]). */
const overlay: ScalarFunction = (args, site) => {
  expectCount(args, site, 3, 4);
  const [value, other] = [textArgument(args, 0, site), textArgument(args, 1, site)];
  const start = numberArgument(args, 2, site, INT64);
  const count = args.length === 4 ? numberArgument(args, 3, site, INT64) : `length(${other})`;
  const call = `(substring(${value}, 1, greatest(${start} - 1, 0)) || ${other} || substring(${value}, greatest(${start} + ${count}, 1)))`;
  return { sql: boundedText(`strlen(${value}) + strlen(${other})`, call, site), type: UTF8 };
};

/** Name → binder. */
export const PATTERN_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["regexp_like", regexpLike], ["regexp_replace", regexpReplace], ["regexp_count", regexpCount], ["regexp_match", regexpMatch],
  ["substr_index", substringIndex], ["substring_index", substringIndex], ["overlay", overlay],
]);
