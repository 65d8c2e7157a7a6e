/** Scalar functions on numbers, text, conditions and types (spec: query §2.4; names and semantics as DataFusion's). */
import { stringSql, type Bound } from "./bound.ts";
import { castTo, comparable } from "./coerce.ts";
import { boundedText, replacedText } from "./function-bounds.ts";
import { badArgument, expectCount, literalText, numberArgument, textArgument, type CallSite, type ScalarFunction, type ScalarResult } from "./function-types.ts";
import { LEVENSHTEIN_PRODUCT_MAX, TEXT_GROWTH_MAX, TEXT_JOINED_MAX } from "./limits.ts";
import { planError } from "./sql-error.ts";
import { typeFromArrowName } from "./type-names.ts";
import { arrowName, BOOLEAN, commonType, FLOAT64, INT32, INT64, isInteger, isNumeric, NULL, UTF8, type SqlType } from "./types.ts";

/** Float in, float out. */
const float = (engine: string, count = 1): ScalarFunction => (args, site) => {
  expectCount(args, site, count);
  return { sql: `${engine}(${args.map((_, index) => numberArgument(args, index, site, FLOAT64)).join(", ")})`, type: FLOAT64 };
};

/** Float functions that the engine raises for outside their domain, where DataFusion gives NaN or an infinity. */
const guarded = (engine: string, outside: (value: string) => string, instead: string): ScalarFunction => (args, site) => {
  expectCount(args, site, 1);
  const value = numberArgument(args, 0, site, FLOAT64);
  return { sql: `CASE WHEN ${outside(value)} THEN ${instead} ELSE ${engine}(${value}) END`, type: FLOAT64 };
};

const NAN = "CAST('NaN' AS DOUBLE)";

/** The logarithm of zero is minus infinity, of anything below NaN. */
const logarithmSql = (engine: string, value: string): string =>
  `CASE WHEN ${value} < 0 THEN ${NAN} WHEN ${value} = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE ${engine}(${value}) END`;

const logarithmOf = (engine: string): ScalarFunction => (args, site) => {
  expectCount(args, site, 1);
  return { sql: logarithmSql(engine, numberArgument(args, 0, site, FLOAT64)), type: FLOAT64 };
};

/** Text in, `type` out; arguments after the first are text too. */
const text = (engine: string, from = 1, to = from, type: SqlType = UTF8): ScalarFunction => (args, site) => {
  expectCount(args, site, from, to);
  const call = `${engine}(${args.map((_, index) => textArgument(args, index, site)).join(", ")})`;
  return { sql: type.kind === "int32" ? `CAST(${call} AS INTEGER)` : call, type };
};

/** left and right. */
const end = (engine: "left" | "right"): ScalarFunction => (args, site) => {
  expectCount(args, site, 2);
  return { sql: `${engine}(${textArgument(args, 0, site)}, ${numberArgument(args, 1, site, INT64)})`, type: UTF8 };
};

/** substr(text, start[, count]): characters at places before the first count, but are not there. */
const substr: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  const start = numberArgument(args, 1, site, INT64);
  const from = `greatest(${start}, 1)`;
  const rest = args.length === 2 ? "" : `, greatest(${numberArgument(args, 2, site, INT64)} + least(${start}, 1) - 1, 0)`;
  return { sql: `substring(${textArgument(args, 0, site)}, ${from}${rest})`, type: UTF8 };
};

const abs: ScalarFunction = (args, site) => {
  expectCount(args, site, 1);
  const [arg] = args as [Bound];
  if (!isNumeric(arg.type) && arg.type.kind !== "null") throw badArgument(args, site);
  return { sql: `abs(${arg.sql})`, type: arg.type };
};

/** round(x[, digits]) and trunc(x[, digits]): halves go away from zero. */
const rounded = (engine: "round" | "trunc"): ScalarFunction => (args, site) => {
  expectCount(args, site, 1, 2);
  const value = numberArgument(args, 0, site, FLOAT64);
  if (args.length === 1) return { sql: `${engine}(${value})`, type: FLOAT64 };
  const digits = `CAST(${numberArgument(args, 1, site, INT64)} AS INTEGER)`;
  return { sql: engine === "round" ? `round(${value}, ${digits})` : `(trunc(${value} * pow(10, ${digits})) / pow(10, ${digits}))`, type: FLOAT64 };
};

const power: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const whole = args.every((arg) => isInteger(arg.type));
  const call = `pow(${numberArgument(args, 0, site, FLOAT64)}, ${numberArgument(args, 1, site, FLOAT64)})`;
  return whole ? { sql: `CAST(${call} AS BIGINT)`, type: INT64 } : { sql: call, type: FLOAT64 };
};

/** log(x) is base 10, log(base, x) any base. */
const logarithm: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 2);
  const values = args.map((_, index) => numberArgument(args, index, site, FLOAT64));
  return { sql: values.length === 1 ? logarithmSql("log10", values[0] as string) : `(${logarithmSql("ln", values[1] as string)} / ${logarithmSql("ln", values[0] as string)})`, type: FLOAT64 };
};

function unify(args: readonly Bound[], site: CallSite): readonly [string[], SqlType] {
  let type: SqlType = NULL;
  for (const arg of args) {
    const next = commonType(type, arg.type);
    if (next === undefined) throw badArgument(args, site);
    type = next;
  }
  return [args.map((arg) => castTo(arg, type, site.position).sql), type];
}

const coalesce: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [values, type] = unify(args, site);
  return { sql: `coalesce(${values.join(", ")})`, type };
};

const extremeOf = (engine: "greatest" | "least"): ScalarFunction => (args, site) => {
  expectCount(args, site, 1, Infinity);
  const [values, type] = unify(args, site);
  return { sql: `${engine}(${values.join(", ")})`, type };
};

const nullif: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const [left, right] = args as [Bound, Bound];
  const [a, b] = comparable(left, right, site.position);
  return { sql: `CASE WHEN ${a.sql} = ${b.sql} THEN NULL ELSE ${left.sql} END`, type: left.type };
};

const nvl2: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  const [[yes, no], type] = unify(args.slice(1), site) as [[string, string], SqlType];
  return { sql: `CASE WHEN ${(args[0] as Bound).sql} IS NOT NULL THEN ${yes} ELSE ${no} END`, type };
};

const floatTest = (test: (value: string) => string): ScalarFunction => (args, site) => {
  expectCount(args, site, 1);
  return { sql: test(numberArgument(args, 0, site, FLOAT64)), type: BOOLEAN };
};

/** concat skips NULL, concat_ws too; arguments of any type are printed. */
const concat: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const texts = args.map((_, index) => textArgument(args, index, site));
  const call = `concat(${texts.join(", ")})`;
  if (args.filter((arg) => arg.constant === undefined).length < 2) return { sql: call, type: UTF8 };
  return { sql: boundedText(texts.map((each) => `coalesce(strlen(${each}), 0)`).join(" + "), call, site), type: UTF8 };
};

const trim = (engine: "trim" | "ltrim" | "rtrim"): ScalarFunction => (args, site) => {
  expectCount(args, site, 1, 2);
  // Without a set DataFusion removes spaces only.
  return { sql: `${engine}(${textArgument(args, 0, site)}, ${args.length === 2 ? textArgument(args, 1, site) : "' '"})`, type: UTF8 };
};

const pad = (engine: "lpad" | "rpad"): ScalarFunction => (args, site) => {
  expectCount(args, site, 2, 3);
  const fill = args.length === 3 ? textArgument(args, 2, site) : "' '";
  // The length is bounded: a pad to billions of characters would only burn memory.
  return { sql: `${engine}(${textArgument(args, 0, site)}, CAST(least(greatest(${numberArgument(args, 1, site, INT64)}, 0), ${TEXT_GROWTH_MAX}) AS INTEGER), ${fill})`, type: UTF8 };
};

const repeat: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const value = textArgument(args, 0, site);
  const times = numberArgument(args, 1, site, INT64);
  return { sql: `CASE WHEN strlen(${value}) * ${times} > ${TEXT_GROWTH_MAX} THEN error('repeat makes more than ${TEXT_GROWTH_MAX} bytes') ELSE repeat(${value}, ${times}) END`, type: UTF8 };
};

const replace: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  const [value, from, to] = [0, 1, 2].map((index) => textArgument(args, index, site)) as [string, string, string];
  return { sql: replacedText(value, to, `replace(${value}, ${from}, ${to})`, site), type: UTF8 };
};

const levenshtein: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const [left, right] = [textArgument(args, 0, site), textArgument(args, 1, site)];
  const compared = `CAST(levenshtein(${left}, ${right}) AS INTEGER)`;
  return { sql: `CASE WHEN strlen(${left}) * strlen(${right}) > ${LEVENSHTEIN_PRODUCT_MAX} THEN error('levenshtein of texts that are too long') ELSE ${compared} END`, type: INT32 };
};

const arrowCast: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const cast = castTo(args[0] as Bound, typeFromArrowName(literalText(args, 1, site, "a type name"), site.position), site.position);
  return { sql: cast.sql, type: cast.type, ...(cast.constant === undefined ? {} : { constant: cast.constant }) };
};

const known = (type: SqlType, sql: string): ScalarResult => ({ sql, type });

/** Name → binder. */
export const SCALARS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ...["asinh", "atan", "cbrt", "cos", "cosh", "cot", "degrees", "exp", "radians", "sin", "sinh", "tan", "tanh"]
    .map((name): [string, ScalarFunction] => [name, float(name)]),
  ["sqrt", guarded("sqrt", (value) => `${value} < 0`, NAN)],
  ...["acos", "asin", "atanh"].map((name): [string, ScalarFunction] => [name, guarded(name, (value) => `abs(${value}) > 1`, NAN)]),
  ["acosh", guarded("acosh", (value) => `${value} < 1`, NAN)],
  ...["ln", "log2", "log10"].map((name): [string, ScalarFunction] => [name, logarithmOf(name)]),
  ["atan2", float("atan2", 2)], ["abs", abs], ["round", rounded("round")], ["trunc", rounded("trunc")], ["power", power], ["pow", power], ["log", logarithm],
  ["ceil", float("ceil")], ["floor", float("floor")], ["signum", (args, site) => (expectCount(args, site, 1), { sql: `CAST(sign(${numberArgument(args, 0, site, FLOAT64)}) AS DOUBLE)`, type: FLOAT64 })],
  ["pi", (args, site) => (expectCount(args, site, 0), known(FLOAT64, "pi()"))],
  ["random", (args, site) => (expectCount(args, site, 0), known(FLOAT64, "random()"))],
  ["uuid", (args, site) => (expectCount(args, site, 0), known(UTF8, "CAST(uuid() AS VARCHAR)"))],
  ["gcd", (args, site) => (expectCount(args, site, 2), known(INT64, `CAST(gcd(${numberArgument(args, 0, site, INT64)}, ${numberArgument(args, 1, site, INT64)}) AS BIGINT)`))],
  ["lcm", (args, site) => (expectCount(args, site, 2), known(INT64, `CAST(lcm(${numberArgument(args, 0, site, INT64)}, ${numberArgument(args, 1, site, INT64)}) AS BIGINT)`))],
  // Up to 20! fits 64 bits; below two it is one.
  ["factorial", (args, site) => (expectCount(args, site, 1), known(INT64, `CAST(factorial(CAST(greatest(${numberArgument(args, 0, site, INT64)}, 0) AS INTEGER)) AS BIGINT)`))],
  ["coalesce", coalesce], ["nvl", coalesce], ["ifnull", coalesce], ["nullif", nullif], ["nvl2", nvl2], ["greatest", extremeOf("greatest")], ["least", extremeOf("least")],
  ["isnan", floatTest((value) => `isnan(${value})`)], ["iszero", floatTest((value) => `(${value} = 0)`)],
  ["nanvl", (args, site) => {
    expectCount(args, site, 2);
    const [a, b] = [numberArgument(args, 0, site, FLOAT64), numberArgument(args, 1, site, FLOAT64)];
    return { sql: `CASE WHEN isnan(${a}) THEN ${b} ELSE ${a} END`, type: FLOAT64 };
  }],
  ["lower", text("lower")], ["upper", text("upper")], ["reverse", text("reverse")],
  ["initcap", (args, site) => (expectCount(args, site, 1), known(UTF8, `array_to_string(list_transform(regexp_extract_all(${textArgument(args, 0, site)}, '[A-Za-z0-9]+|[^A-Za-z0-9]+'), lambda w: upper(w[1]) || lower(w[2:])), '')`))],
  ["length", text("length", 1, 1, INT32)], ["char_length", text("length", 1, 1, INT32)], ["character_length", text("length", 1, 1, INT32)],
  ["octet_length", text("strlen", 1, 1, INT32)], ["bit_length", (args, site) => (expectCount(args, site, 1), known(INT32, `CAST(strlen(${textArgument(args, 0, site)}) * 8 AS INTEGER)`))],
  ["ascii", text("ascii", 1, 1, INT32)], ["strpos", text("strpos", 2, 2, INT32)], ["instr", text("strpos", 2, 2, INT32)], ["levenshtein", levenshtein],
  ["position", text("strpos", 2, 2, INT32)], ["starts_with", text("starts_with", 2, 2, BOOLEAN)], ["ends_with", text("suffix", 2, 2, BOOLEAN)], ["contains", text("contains", 2, 2, BOOLEAN)],
  ["replace", replace], ["translate", text("translate", 3)], ["concat", concat], ["concat_ws", (args, site) => (expectCount(args, site, 2, Infinity), { ...concat(args, site), sql: `concat_ws(${args.map((_, index) => textArgument(args, index, site)).join(", ")})` })],
  ["substr", substr], ["substring", substr], ["left", end("left")], ["right", end("right")],
  ["repeat", repeat], ["lpad", pad("lpad")], ["rpad", pad("rpad")], ["trim", trim("trim")], ["btrim", trim("trim")], ["ltrim", trim("ltrim")], ["rtrim", trim("rtrim")],
  ["split_part", (args, site) => (expectCount(args, site, 3), known(UTF8, `split_part(${textArgument(args, 0, site)}, ${textArgument(args, 1, site)}, ${numberArgument(args, 2, site, INT64)})`))],
  ["chr", (args, site) => (expectCount(args, site, 1), known(UTF8, `chr(CAST(${numberArgument(args, 0, site, INT64)} AS INTEGER))`))],
  ["to_hex", (args, site) => (expectCount(args, site, 1), known(UTF8, `lower(to_hex(${numberArgument(args, 0, site, INT64)}))`))],
  ["find_in_set", (args, site) => (expectCount(args, site, 2), known(INT32, `CAST(coalesce(list_position(string_split(${textArgument(args, 1, site)}, ','), ${textArgument(args, 0, site)}), 0) AS INTEGER)`))],
  ["arrow_typeof", (args, site) => {
    expectCount(args, site, 1);
    const [arg] = args as [Bound];
    const name = arrowName(arg.type);
    // The argument must stay in the query when it is an aggregate: it makes one row out of many.
    if (arg.aggregate || arg.window) return known(UTF8, `CASE WHEN ${arg.sql} IS NULL THEN ${stringSql(name)} ELSE ${stringSql(name)} END`);
    return { sql: stringSql(name), type: UTF8, constant: { kind: "string", text: name } };
  }],
  ["arrow_cast", arrowCast],
  ["version", (args, site) => (expectCount(args, site, 0), known(UTF8, "'Tidemark, in the dialect of Apache DataFusion 51'"))],
]);
