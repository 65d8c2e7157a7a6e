/** Lists and structs, and bytes as texts. Lists are counted from one, as DataFusion counts them. */
import type { Bound } from "./bound.ts";
import { castTo } from "./coerce.ts";
import { badArgument, expectCount, literalText, numberArgument, textArgument, type CallSite, type ScalarFunction, type ScalarResult } from "./function-types.ts";
import { TEXT_GROWTH_MAX } from "./limits.ts";
import { notImplemented, planError } from "./sql-error.ts";
import { arrowName, BOOLEAN, commonType, FLOAT64, INT64, NULL, UINT64, UTF8, type SqlType } from "./types.ts";

type ListType = Extract<SqlType, { readonly kind: "list" }>;
const listOf = (element: SqlType): ListType => ({ kind: "list", element });

function listArgument(args: readonly Bound[], index: number, site: CallSite): { readonly sql: string; readonly type: ListType } {
  const arg = args[index] as Bound;
  if (arg.type.kind !== "list") throw badArgument(args, site, "it takes an array");
  return { sql: arg.sql, type: arg.type };
}

/** Both lists with one element type. */
function listPair(args: readonly Bound[], site: CallSite): readonly [string, string, ListType] {
  expectCount(args, site, 2);
  const type = commonType(listArgument(args, 0, site).type, listArgument(args, 1, site).type);
  if (type?.kind !== "list") throw badArgument(args, site);
  return [castTo(args[0] as Bound, type, site.position).sql, castTo(args[1] as Bound, type, site.position).sql, type];
}

/** A list and an element at the given places, with one element type. */
function listAndElement(args: readonly Bound[], site: CallSite, places: readonly [list: number, element: number] = [0, 1]): readonly [string, string, ListType] {
  const list = listArgument(args, places[0], site);
  const element = args[places[1]] as Bound;
  const type = commonType(list.type.element, element.type);
  if (type === undefined) throw badArgument(args, site);
  return [castTo(args[places[0]] as Bound, listOf(type), site.position).sql, castTo(element, type, site.position).sql, listOf(type)];
}

type Names = readonly string[];
const define = (names: Names, binder: ScalarFunction): [string, ScalarFunction][] => names.map((name) => [name, binder]);
const of = (sql: string, type: SqlType): ScalarResult => ({ sql, type });

const one = (make: (list: string, type: ListType) => ScalarResult): ScalarFunction => (args, site) => {
  expectCount(args, site, 1);
  const { sql, type } = listArgument(args, 0, site);
  return make(sql, type);
};
const pair = (make: (left: string, right: string, type: ListType) => ScalarResult): ScalarFunction => (args, site) => make(...listPair(args, site));
const element = (make: (list: string, value: string, type: ListType) => ScalarResult): ScalarFunction => (args, site) => {
  expectCount(args, site, 2);
  return make(...listAndElement(args, site));
};

const makeArray: ScalarFunction = (args, site) => {
  let type: SqlType = NULL;
  for (const arg of args) {
    const next = commonType(type, arg.type);
    if (next === undefined) throw badArgument(args, site);
    type = next;
  }
  return of(`[${args.map((arg) => castTo(arg, type, site.position).sql).join(", ")}]`, listOf(type));
};

const arrayConcat: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, Infinity);
  const type = args.reduce((common: SqlType | undefined, _, index) => (common === undefined ? undefined : commonType(common, listArgument(args, index, site).type)), NULL as SqlType | undefined);
  if (type === undefined) throw badArgument(args, site);
  return of(args.map((arg) => castTo(arg, type, site.position).sql).reduce((left, right) => `list_concat(${left}, ${right})`), type);
};

const dimension = (type: SqlType): number => (type.kind === "list" ? 1 + dimension(type.element) : 0);

const arrayLength: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 2);
  const { sql } = listArgument(args, 0, site);
  const level = args.length === 1 ? 1n : args[1]?.constant?.kind === "integer" ? args[1].constant.value : 0n;
  if (level < 1n || level > 8n) throw badArgument(args, site, "the dimension is a literal from 1");
  return of(`CAST(len(${sql}${"[1]".repeat(Number(level) - 1)}) AS UBIGINT)`, UINT64);
};

const arrayPosition: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  const [list, value] = listAndElement(args, site);
  if (args.length === 2) return of(`CAST(list_position(${list}, ${value}) AS UBIGINT)`, UINT64);
  const start = numberArgument(args, 2, site, INT64);
  return of(`CAST(list_position(list_slice(${list}, ${start}, len(${list})), ${value}) + ${start} - 1 AS UBIGINT)`, UINT64);
};

const arraySlice: ScalarFunction = (args, site) => {
  expectCount(args, site, 3);
  const { sql, type } = listArgument(args, 0, site);
  return of(`list_slice(${sql}, ${numberArgument(args, 1, site, INT64)}, ${numberArgument(args, 2, site, INT64)})`, type);
};

const arraySort: ScalarFunction = (args, site) => {
  expectCount(args, site, 1, 3);
  const { sql, type } = listArgument(args, 0, site);
  const words = args.slice(1).map((_, index) => literalText(args, index + 1, site, "its order").toUpperCase());
  const [order = "ASC", nulls = "NULLS FIRST"] = words;
  if (!["ASC", "DESC"].includes(order) || !["NULLS FIRST", "NULLS LAST"].includes(nulls)) throw badArgument(args, site, "write 'ASC' or 'DESC', then 'NULLS FIRST' or 'NULLS LAST'");
  return of(`list_sort(${sql}, '${order}', '${nulls}')`, type);
};

const arrayToString: ScalarFunction = (args, site) => {
  expectCount(args, site, 2, 3);
  const texts = castTo(args[0] as Bound, listOf(UTF8), site.position).sql;
  const list = args.length === 3 ? `list_transform(${texts}, lambda x: coalesce(x, ${textArgument(args, 2, site)}))` : texts;
  listArgument(args, 0, site);
  return of(`array_to_string(${list}, ${textArgument(args, 1, site)})`, UTF8);
};

const stringToArray: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  return of(`string_split(${textArgument(args, 0, site)}, ${textArgument(args, 1, site)})`, listOf(UTF8));
};

/** range(stop), range(start, stop[, step]): literals, so that the length is known. */
const range = (inclusive: boolean): ScalarFunction => (args, site) => {
  expectCount(args, site, inclusive ? 2 : 1, 3);
  const values = args.map((arg) => (arg.constant?.kind === "integer" ? arg.constant.value : undefined));
  if (values.includes(undefined)) throw notImplemented(`${site.name} of anything but integer literals`, { position: site.position });
  const [start, stop, step] = (values.length === 1 ? [0n, values[0], 1n] : [values[0], values[1], values[2] ?? 1n]) as [bigint, bigint, bigint];
  if (step === 0n) throw planError(`${site.name} step must not be zero`, { position: site.position });
  const count = (stop - start) / step + 1n;
  if (count > BigInt(TEXT_GROWTH_MAX)) throw planError(`${site.name} makes more than ${TEXT_GROWTH_MAX} elements`, { position: site.position, hint: `FROM ${site.name}(…) has no such limit` });
  return of(`${inclusive ? "generate_series" : "range"}(CAST(${start} AS BIGINT), CAST(${stop} AS BIGINT), CAST(${step} AS BIGINT))`, listOf(INT64));
};

const namedStruct: ScalarFunction = (args, site) => {
  if (args.length === 0 || args.length % 2 !== 0) throw planError(`${site.name} requires an even number of arguments, got ${args.length}`, { position: site.position });
  const members = args.flatMap((value, index) => (index % 2 === 0 ? [] : [{ name: literalText(args, index - 1, site, "a field name"), value }]));
  return of(
    `struct_pack(${members.map(({ value }, index) => `f${index} := ${castTo(value, value.type).sql}`).join(", ")})`,
    { kind: "struct", fields: members.map(({ name, value }) => ({ name, type: value.type.kind === "tag" ? UTF8 : value.type })) },
  );
};

const getField: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const [base] = args as [Bound];
  const name = literalText(args, 1, site, "a field name");
  const index = base.type.kind === "struct" ? base.type.fields.findIndex((field) => field.name === name) : -1;
  if (base.type.kind !== "struct" || index < 0) throw planError(`Field ${name} not found in ${arrowName(base.type)}`, { position: site.position });
  return { sql: `struct_extract(${base.sql}, 'f${index}')`, type: (base.type.fields[index] as { type: SqlType }).type, shown: `${base.name}[${name}]` };
};

const BINARY: SqlType = { kind: "binary" };

/** Bytes of a text or of bytes. */
function bytesArgument(args: readonly Bound[], site: CallSite): string {
  const [arg] = args as [Bound];
  return arg.type.kind === "binary" ? arg.sql : `encode(${textArgument(args, 0, site)})`;
}

const encode: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const bytes = bytesArgument(args, site);
  const form = literalText(args, 1, site, "the encoding");
  if (form === "base64") return of(`rtrim(to_base64(${bytes}), '=')`, UTF8);
  if (form === "hex") return of(`lower(hex(${bytes}))`, UTF8);
  throw planError(`There is no built-in encoding named '${form}', currently supported encodings are: base64, hex`, { position: site.position });
};

const decode: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const text = textArgument(args, 0, site);
  const form = literalText(args, 1, site, "the encoding");
  const bare = `rtrim(${text}, '=')`;
  if (form === "base64") return of(`from_base64(${bare} || repeat('=', (4 - strlen(${bare}) % 4) % 4))`, BINARY);
  if (form === "hex") return of(`unhex(${text})`, BINARY);
  throw planError(`There is no built-in encoding named '${form}', currently supported encodings are: base64, hex`, { position: site.position });
};

const hash = (engine: string): ScalarFunction => (args, site) => {
  expectCount(args, site, 1);
  return of(`unhex(${engine}(${bytesArgument(args, site)}))`, BINARY);
};

const digest: ScalarFunction = (args, site) => {
  expectCount(args, site, 2);
  const algorithm = literalText(args, 1, site, "the algorithm").toLowerCase();
  if (algorithm !== "md5" && algorithm !== "sha256") throw notImplemented(`digest with ${algorithm}`, { position: site.position, hint: "md5 and sha256 are there" });
  return hash(algorithm)(args.slice(0, 1), site);
};

const missingHash: ScalarFunction = (_args, site) => {
  throw notImplemented(site.name, { position: site.position, hint: "md5 and sha256 are there" });
};

/** Name → binder. */
export const NESTED_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ...define(["make_array", "make_list"], makeArray),
  ...define(["array_append", "list_append", "array_push_back", "list_push_back"], element((list, value, type) => of(`list_append(${list}, ${value})`, type))),
  ...define(["array_prepend", "list_prepend", "array_push_front", "list_push_front"], (args, site) => {
    expectCount(args, site, 2);
    const [list, value, type] = listAndElement(args, site, [1, 0]);
    return of(`list_prepend(${value}, ${list})`, type);
  }),
  ...define(["array_concat", "array_cat", "list_concat", "list_cat"], arrayConcat),
  ...define(["array_has", "list_has", "array_contains", "list_contains"], element((list, value) => of(`list_contains(${list}, ${value})`, BOOLEAN))),
  ...define(["array_has_all", "list_has_all"], pair((left, right) => of(`list_has_all(${left}, ${right})`, BOOLEAN))),
  ...define(["array_has_any", "list_has_any", "arrays_overlap"], pair((left, right) => of(`list_has_any(${left}, ${right})`, BOOLEAN))),
  // Sorted, as DataFusion leaves them.
  ...define(["array_distinct", "list_distinct"], one((list, type) => of(`list_sort(list_distinct(${list}))`, type))),
  ...define(["array_union", "list_union"], pair((left, right, type) => of(`list_sort(list_distinct(list_concat(${left}, ${right})))`, type))),
  ...define(["array_intersect", "list_intersect"], pair((left, right, type) => of(`list_sort(list_intersect(${left}, ${right}))`, type))),
  ...define(["array_except", "list_except"], pair((left, right, type) => of(`list_sort(list_distinct(list_filter(${left}, lambda x: NOT list_contains(${right}, x))))`, type))),
  ...define(["array_element", "array_extract", "list_element", "list_extract"], (args, site) => {
    expectCount(args, site, 2);
    const { sql, type } = listArgument(args, 0, site);
    return of(`list_extract(${sql}, ${numberArgument(args, 1, site, INT64)})`, type.element);
  }),
  ...define(["array_length", "list_length"], arrayLength),
  ["cardinality", one((list) => of(`CAST(len(${list}) AS UBIGINT)`, UINT64))],
  ...define(["empty", "array_empty", "list_empty"], one((list) => of(`(len(${list}) = 0)`, BOOLEAN))),
  ...define(["array_max", "list_max"], one((list, type) => of(`list_max(${list})`, type.element))),
  ...define(["array_min", "list_min"], one((list, type) => of(`list_min(${list})`, type.element))),
  ...define(["array_any_value", "list_any_value"], one((list, type) => of(`list_any_value(${list})`, type.element))),
  ...define(["array_ndims", "list_ndims"], one((_list, type) => of(`CAST(${dimension(type)} AS UBIGINT)`, UINT64))),
  ...define(["array_position", "array_indexof", "list_position", "list_indexof"], arrayPosition),
  ...define(["array_positions", "list_positions"], element((list, value) => of(`list_transform(list_filter(range(1, len(${list}) + 1), lambda i: ${list}[i] = ${value}), lambda i: CAST(i AS UBIGINT))`, listOf(UINT64)))),
  ...define(["array_pop_back", "list_pop_back"], one((list, type) => of(`list_slice(${list}, 1, len(${list}) - 1)`, type))),
  ...define(["array_pop_front", "list_pop_front"], one((list, type) => of(`list_slice(${list}, 2, len(${list}))`, type))),
  ...define(["array_remove_all", "list_remove_all"], element((list, value, type) => of(`list_filter(${list}, lambda x: x IS DISTINCT FROM ${value})`, type))),
  ...define(["array_reverse", "list_reverse"], one((list, type) => of(`list_reverse(${list})`, type))),
  ...define(["array_slice", "list_slice"], arraySlice),
  ...define(["array_sort", "list_sort"], arraySort),
  ...define(["array_to_string", "array_join", "list_to_string", "list_join"], arrayToString),
  ...define(["array_distance", "list_distance"], pair((left, right) => of(`CAST(list_distance(CAST(${left} AS DOUBLE[]), CAST(${right} AS DOUBLE[])) AS DOUBLE)`, FLOAT64))),
  ["flatten", one((list, type) => (type.element.kind === "list" ? of(`flatten(${list})`, type.element) : of(list, type)))],
  ...define(["string_to_array", "string_to_list"], stringToArray),
  ["range", range(false)], ["generate_series", range(true)],
  ["named_struct", namedStruct], ["get_field", getField],
  ["encode", encode], ["decode", decode], ["digest", digest], ["sha256", hash("sha256")],
  ...define(["sha224", "sha384", "sha512"], missingHash),
  ["md5", (args, site) => (expectCount(args, site, 1), of(`md5(${bytesArgument(args, site)})`, UTF8))],
]);

/** `unnest(list)`: one row for each element; only in the SELECT list and in FROM. */
export function unnested(list: Bound, site: CallSite): ScalarResult {
  if (list.type.kind !== "list") throw planError(`unnest() can only be applied to array, got ${arrowName(list.type)}`, { position: site.position });
  return of(`unnest(${list.sql})`, list.type.element);
}
